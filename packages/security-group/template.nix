# The AWS side of a host's firewall, as a CloudFormation template: the same openings, from the same options.
{ config }:
let
  v6 = cidr: builtins.match ".*:.*" cidr != null;
  rule =
    o:
    {
      IpProtocol = "tcp";
      FromPort = o.port;
      ToPort = o.port;
      Description = o.description;
    }
    // (if v6 o.cidr then { CidrIpv6 = o.cidr; } else { CidrIp = o.cidr; });
in
{
  AWSTemplateFormatVersion = "2010-09-09";
  Description = "The firewall around ${config.services.choiros.domain}";
  Parameters.VpcId.Type = "AWS::EC2::VPC::Id";
  Resources.SecurityGroup = {
    Type = "AWS::EC2::SecurityGroup";
    Properties = {
      GroupDescription = "ChoirOS host ${config.services.choiros.domain}";
      VpcId.Ref = "VpcId";
      SecurityGroupIngress = map rule config.services.choiros.firewall.openings;
    };
  };
  Outputs.SecurityGroupId.Value."Fn::GetAtt" = [
    "SecurityGroup"
    "GroupId"
  ];
}
