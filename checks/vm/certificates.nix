# Certificates of three machines, by an authority that issues nothing else, and of their database by another one. Their
# keys are in the store, for all to read: for tests alone.
{ runCommand, openssl }:
runCommand "certificates" { nativeBuildInputs = [ openssl ]; } ''
  mkdir $out
  cd $out

  # certify NAME OPTION…: NAME.pem and NAME-key.pem
  certify() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$1" \
      -out "$1.pem" -keyout "$1-key.pem" "''${@:2}"
  }
  # authority NAME
  authority() {
    certify "$1" -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign
  }
  # issue AUTHORITY NAME ALTERNATIVE-NAME
  issue() {
    certify "$2" -CA "$1.pem" -CAkey "$1-key.pem" -addext basicConstraints=critical,CA:FALSE \
      -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=serverAuth,clientAuth \
      -addext "subjectAltName=$3"
  }

  authority machines
  for machine in a b c; do
    issue machines "$machine" "URI:spiffe://choir.test/machine/$machine"
  done
  authority databases
  issue databases db DNS:db
''
