# choiros-put COPIES VERB: what choiros-restore does with the store, as its owner and where nothing but it and its copies
# is in sight. place-RUN: the copy of that run goes into its place, once it is checked; undo: what was there comes back.
# PROGRAM is in the environment.
copies=$1 verb=$2
case $verb in
  place-*)
    run=${verb#place-}
    [[ $run =~ ^[0-9TZ]+$ ]] || exit 2
    shopt -s nullglob
    found=("$copies"/hypervisor."$run".*.db "$copies"/hypervisor.*."$run".db "$copies"/hypervisor."$run".db)
    [ "${#found[@]}" -gt 0 ] || {
      echo "there is no copy called $run" >&2
      exit 2
    }
    said=$($PROGRAM restore --from "${found[0]}")
    echo "$said"
    echo "${said##* is in }" > "$copies/.restored"
    ;;
  undo) $PROGRAM restore --from "$(< "$copies/.restored")" ;;
  *) exit 2 ;;
esac
