# choiros-backup FOLDER COPIES LAST DAILY: copy each SQLite database of FOLDER to COPIES while it is in use,
# check the copy, and keep the LAST newest, and before these a copy a day for DAILY days.
folder=$1 copies=$2 last=$3 daily=$4
now=$(date --utc +%Y%m%dT%H%M%SZ)

# kept NAME -- remove the copies of one database that the rule doesn't keep
kept() {
  local copy
  printf '%s\n' "$copies/$1".*.db | sort --reverse | awk -v last="$last" -v daily="$daily" '
    NR <= last { next }
    { parts = split($0, part, "."); day = substr(part[parts - 1], 1, 8) }
    day != seen && days < daily { seen = day; days++; next }
    { print }' | while read -r copy; do rm -- "$copy"; done
}

for database in "$folder"/*.db; do
  [ -e "$database" ] || continue
  name=$(basename "$database" .db)
  copy=$copies/$name.$now.db
  sqlite3 -cmd '.timeout 30000' "$database" ".backup '$copy.part'"
  # one file, that whoever reads it needs not write beside
  sqlite3 "$copy.part" 'PRAGMA journal_mode = delete' > /dev/null
  verdict=$(sqlite3 "$copy.part" 'PRAGMA integrity_check')
  if [ "$verdict" != ok ]; then
    echo "the copy of $database is damaged, and so perhaps is the database: $verdict" >&2
    exit 1
  fi
  sync "$copy.part"
  mv "$copy.part" "$copy"
  kept "$name"
done
