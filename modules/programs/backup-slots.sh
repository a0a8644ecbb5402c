# choiros-backup-slots FOLDER: back up the volumes of all slots that have some, one after the other.
failed=()
shopt -s nullglob
for volume in "$1"/*/s*-live "$1"/*/s*-dev; do
  sandbox=${volume##*/} number=${volume%/*} number=${number##*/}
  # which has no folders for what is said of it, and for backups, until it is used after a reboot
  if ! systemctl start "choiros-slot@$number.service" || ! systemctl start "choiros-slot-volume-$number@$sandbox:backup.service"; then
    failed+=("$sandbox")
  fi
done
if [ "${#failed[@]}" -gt 0 ]; then
  echo "no backup was made of ${failed[*]}: see journalctl -u 'choiros-slot-volume-*'" >&2
  exit 1
fi
