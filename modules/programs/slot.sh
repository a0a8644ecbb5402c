# choiros-slot NUMBER: the folders of a slot's two sandboxes, with the owner that they have inside. Contents stay as they are.
# SLOTS, FIRST_ID, FOLDER, RESULTS, STREAMS, QUOTA, LIMITS and, where there are backups, BACKUPS are in the environment.
number=$1
if [[ ! $number =~ ^[1-9][0-9]{0,3}$ ]] || [ "$number" -gt "$SLOTS" ]; then
  echo "there is no slot $number: services.choiros.slots is $SLOTS" >&2
  exit 1
fi
id=$((FIRST_ID + number))
install -d -m 0700 "$FOLDER/$number" "$FOLDER/$number/.snapshots"
install -d -m 0700 -o "$id" -g "$id" "$FOLDER/$number/s$number-live" "$FOLDER/$number/s$number-dev"
# there the hypervisor is told what came of its orders
install -d -m 2750 -g choiros "$RESULTS/s$number-live" "$RESULTS/s$number-dev"
# and listens for those that take a stream
install -d -m 0700 -o choiros -g choiros "$STREAMS/s$number-live" "$STREAMS/s$number-dev"
# whole trees with the owners that they have inside; who owns a database gets there to check it
[ -z "${BACKUPS-}" ] || install -d -m 0711 "$BACKUPS/s$number-live" "$BACKUPS/s$number-dev"
# all that is in there is one project, with the limits of its disk space
read -r bytes files <<< "$LIMITS"
"$QUOTA" "$id" "$bytes" "$files" "$FOLDER/$number"
