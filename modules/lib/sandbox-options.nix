# What the sandboxes of a workspace, or of all slots, run, and what they may, as options.
{ lib, config }:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  choirosTypes = import ./types.nix { inherit lib; };
  identity = import ./identity.nix { inherit lib; };
  weight = types.ints.between 1 10000;

  # What runs inside. Of each option `defaults` has the `value` that it has unless it is set, and the `text` that stands
  # for it in the documentation.
  service =
    defaults:
    let
      option =
        name: more:
        mkOption (
          {
            default = defaults.${name}.value;
          }
          // lib.optionalAttrs (defaults.${name} ? text) { defaultText = defaults.${name}.text; }
          // more
        );
    in
    {
      package = option "package" {
        type = types.package;
        example = lib.literalExpression "pkgs.choiros-sandbox";
        description = "The sandbox service that runs inside, unless `config` brings another.";
      };
      config = option "config" {
        type = types.nullOr types.deferredModule;
        example = lib.literalExpression ''
          { pkgs, ... }: {
            systemd.services.web = {
              wantedBy = [ "multi-user.target" ];
              serviceConfig.User = "sandbox";
              serviceConfig.ExecStart = "''${pkgs.darkhttpd}/bin/darkhttpd /data --port 8080";
            };
          }
        '';
        description = "A NixOS module for the inside, which stands in for our sandbox service. It has a private `/data` that belongs to the user `sandbox`, and listens on `port`; whatever else it writes is gone at a restart. Who it is isn't part of it, so that both sandboxes can run it: a unit that wants to know has `PassEnvironment` with some of ${
          lib.concatMapStringsSep ", " (name: "`${name}`") identity.names
        }.";
      };
      port = option "port" {
        type = choirosTypes.port;
        example = 3000;
        description = "The port that the service inside listens on.";
      };
      health.path = option "healthPath" {
        type = types.str;
        example = "/";
        description = "The path that tells whether the service is well: any 2xx says so, or `health.status` alone.";
      };
      health.status = option "healthStatus" {
        type = types.nullOr types.ints.unsigned;
        example = 401;
        description = "The one status by which the service says that it is well, where that isn't a 2xx.";
      };
      health.host = option "healthHost" {
        type = types.nullOr types.str;
        example = "localhost";
        description = "The `Host` header to ask with, for services that answer some names only. Without it, the sandbox's address.";
      };
      identity = option "identity" {
        type = types.bool;
        example = false;
        description = "Whether the health response must name the sandbox and its role, as that of our sandbox service does.";
      };
    };

  # what a workspace may take of the host; its volumes are in the folder
  limits =
    folder:
    let
      mounts = import ./mounts.nix { inherit lib config; };
      quotas = mounts.hasQuotas (mounts.of folder);
    in
    {
      memoryMax = mkOption {
        type = choirosTypes.size;
        default = "2G";
        example = "512M";
        description = "Memory that each of the two sandboxes may use, with what it writes outside `/data`, and without swap: past it the kernel ends a process inside, and no other. A microVM's system has 128 MiB and a seventh of it less, which is for what runs it. All sandboxes of a host together get four fifths of its memory at most, whatever the sum of their limits. A change of it, and of the limits of processor, tasks and log, counts from the sandbox's next start: `hypervisor sandboxes stop` and `start`, or a promotion; a microVM has other memory, and other processors, from its next release on.";
      };
      tasksMax = mkOption {
        type = types.ints.positive;
        default = 1024;
        example = 256;
        description = "Processes and threads that each of the two sandboxes may have. All sandboxes of a host together get four fifths of what its kernel has at most.";
      };
      cpuWeight = mkOption {
        type = weight;
        default = 100;
        example = 50;
        description = "The share of each of the two sandboxes when there is less processor time than is asked for, beside the other sandboxes' weights. All of them together have a fifth of the weight of the host's own services, and the gateway and Caddy have more than these.";
      };
      cpuQuota = mkOption {
        type = types.nullOr types.ints.positive;
        default = null;
        example = 150;
        description = "Processor time that each of the two sandboxes may use at most, in percent of one processor; `null` for what nobody else wants. Without it the weights already keep a sandbox from taking time that another asks for; set it where time is paid for, such as on machines with CPU credits.";
      };
      ioWeight = mkOption {
        type = weight;
        default = 100;
        example = 50;
        description = "The share of each of the two sandboxes of a busy disk, beside the other sandboxes' weights; all of them together have a fifth of the weight of the host's own services. It counts on disks whose scheduler is `bfq` (`hardware.block.defaultScheduler = \"bfq\"`), or that have `io.cost.qos` set, and nowhere else: `none`, `mq-deadline` and `kyber` know no weights.";
      };
      diskMax = mkOption {
        type = types.nullOr choirosTypes.size;
        default = if quotas then "10G" else null;
        defaultText = lib.literalMD "`\"10G\"` where `fileSystems` has `${folder}` on XFS or ext4 with the option `prjquota`, else `null`";
        example = "20G";
        description = "Disk space for the workspace's two volumes and their snapshots together; on file systems with reflinks a snapshot counts whole, though it shares its blocks with the volume. Past it writes fail inside as on a full disk, and there are no new snapshots, so neither promotions nor forks, until something is removed; what takes a change back still works. `null` for no limit: then one sandbox can fill the disk. It takes XFS or ext4, mounted with `prjquota`; ext4 must have been given `tune2fs -O project,quota -Q prjquota` before, while it was not mounted. Where they can't be held, sandboxes with a limit don't start. A changed limit counts at once. Links, pipes and sockets that were there before the first limit are not counted, and can't be moved between folders.";
      };
      filesMax = mkOption {
        type = types.nullOr types.ints.positive;
        default = if quotas then 1000000 else null;
        defaultText = lib.literalMD "`1000000` where `diskMax` has a default, else `null`";
        example = 200000;
        description = "Files and folders that the workspace's two volumes and their snapshots may have together; as `diskMax` in all else.";
      };
      logRate = mkOption {
        type = types.ints.positive;
        default = 1000;
        example = 200;
        description = "Lines that a service inside may log in 30 seconds, and that a sandbox may write to its console; more are dropped and counted. Inside it counts from the next release on, and binds services, not root; the journal there counts against `memoryMax`. The consoles' journal on the host has 64 MiB for all sandboxes, beside the host's own.";
      };
    };

  isolation = mkOption {
    type = types.enum [
      "container"
      "microvm"
    ];
    default = "container";
    example = "microvm";
    description = "What keeps the inside from the host: a container, which shares the host's kernel; or a virtual machine with a kernel of its own in such a container, for code that nobody vouches for. It is a part of the release: a change of it is a new release, and what runs stays what it is until it is promoted. A microVM needs `/dev/kvm`.";
  };

  egress = mkOption {
    type = types.either (types.enum [
      "none"
      "internet"
    ]) (types.listOf choirosTypes.ipv4);
    default = "none";
    example = [ "198.51.100.0/24" ];
    description = "Where the sandboxes may open connections to: nowhere, public addresses only (neither the host, nor private networks, nor a cloud's metadata service; names are resolved by public servers, unless `config` sets others), or the IPv4 networks listed. A microVM has a change of it from its next start on.";
  };
in
{
  # of the workspace
  ofWorkspace =
    folder: workspace:
    {
      inherit isolation egress;
    }
    // limits folder
    // service {
      package = {
        value = cfg.sandboxPackage;
        text = lib.literalExpression "config.services.choiros.sandboxPackage";
      };
      config.value = null;
      port.value = 8080;
      healthPath.value = "/health";
      healthStatus.value = null;
      healthHost.value = null;
      identity = {
        value = workspace.config == null;
        text = lib.literalMD "whether our sandbox service runs inside";
      };
    };

  # of one of its two sandboxes, where that differs
  ofRole =
    workspace: role:
    let
      like = value: {
        inherit value;
        text = lib.literalMD "the workspace's";
      };
    in
    mkOption {
      default = { };
      example = {
        port = 3000;
        health.path = "/up";
      };
      description = "Where the sandbox that is born ${role} differs from the workspace. A swap exchanges the roles, not the sandboxes.";
      type = types.submodule (
        { config, ... }: {
          options = service {
            package = like workspace.package;
            config = like workspace.config;
            port = like workspace.port;
            healthPath = like workspace.health.path;
            healthStatus = like workspace.health.status;
            healthHost = like workspace.health.host;
            identity = {
              value = workspace.identity && (config.config == null || workspace.config != null);
              text = lib.literalMD "the workspace's, or `false` with a `config` where the workspace has none";
            };
          };
        }
      );
    };
}
