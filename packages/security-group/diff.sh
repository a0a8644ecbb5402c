# security-group-diff GROUP-ID | --live FILE: what the live group opens and the template doesn't (-), and the other
# way round (+). Changes nothing. FILE is what `aws ec2 describe-security-groups` answered. Ends with 1 if they differ.
case "${1:-}" in
  --live) live=$(cat "$2") ;;
  sg-*) live=$(aws ec2 describe-security-groups --group-ids "$1" --output json) ;;
  *)
    echo "usage: security-group-diff sg-… | --live FILE" >&2
    exit 2
    ;;
esac
wanted=$(jq -r '.Resources.SecurityGroup.Properties.SecurityGroupIngress[]
  | "\(.IpProtocol) \(.FromPort)-\(.ToPort) \(.CidrIp // .CidrIpv6)"' "$TEMPLATE" | sort -u)
found=$(jq -r '.SecurityGroups[0].IpPermissions[] | . as $p
  | ([.IpRanges[]?.CidrIp, .Ipv6Ranges[]?.CidrIpv6, (.PrefixListIds[]?.PrefixListId), (.UserIdGroupPairs[]?.GroupId)])[]
  | "\($p.IpProtocol) \($p.FromPort // "all")-\($p.ToPort // "all") \(.)"' <<< "$live" | sort -u)
difference=$(
  comm -23 <(echo "$found") <(echo "$wanted") | sed 's/^/- /'
  comm -13 <(echo "$found") <(echo "$wanted") | sed 's/^/+ /'
)
difference=$(grep -v '^[-+] $' <<< "$difference" || true)
if [ -z "$difference" ]; then
  echo "the group opens what the host opens"
else
  echo "$difference"
  exit 1
fi
