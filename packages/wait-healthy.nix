# wait-healthy SECONDS URL: succeeds as soon as the gateway whose pages are there answers that all of it is well.
{ writeShellApplication, curl }:
writeShellApplication {
  name = "wait-healthy";
  runtimeInputs = [ curl ];
  text = ''
    end=$((SECONDS + $1))
    until curl --silent --fail --max-time 5 --output /dev/null "$2/health?deep"; do
      if [ "$SECONDS" -ge "$end" ]; then
        echo "after $1 seconds $2/health?deep still answers:" >&2
        curl --silent --show-error --max-time 5 "$2/health?deep" >&2 || true
        exit 1
      fi
      sleep 1
    done
  '';
}
