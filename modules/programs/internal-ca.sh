# A certificate for NAMES (DNS:a,DNS:b), by an authority of this host's own, in $STATE_DIRECTORY: ca.pem is what browsers
# are told to trust, cert.pem and key.pem what they are shown. Makes new ones only for other names, or a month before the end.
cd "$STATE_DIRECTORY" || exit

# lasts FILE DAYS
lasts() { openssl x509 -in "$1" -noout -checkend $(($2 * 86400)) > /dev/null 2>&1; }

# certify NAME DAYS OPTION…: NAME.pem.new and NAME-key.pem.new
certify() {
  local said
  if ! said=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1-key.pem.new" \
    -out "$1.pem.new" -days "$2" "${@:3}" 2>&1); then
    echo "$said" >&2
    exit 1
  fi
}

if ! lasts ca.pem 30; then
  certify ca 3650 -subj "/CN=ChoirOS host" -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign
  rm -f names
  mv ca-key.pem.new ca-key.pem
  mv ca.pem.new ca.pem
fi
if [ "$(cat names 2> /dev/null)" = "$NAMES" ] && lasts cert.pem 30; then
  exit
fi
certify leaf 90 -CA ca.pem -CAkey ca-key.pem -subj / -addext basicConstraints=critical,CA:FALSE \
  -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=serverAuth -addext "subjectAltName=critical,$NAMES"
chmod 0640 leaf-key.pem.new
# until both are in place, the next start makes them anew
rm -f names
mv leaf-key.pem.new key.pem
mv leaf.pem.new cert.pem
echo "$NAMES" > names
echo "a new certificate for $NAMES"
