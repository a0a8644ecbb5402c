# What a workspace may take of the host, as options: the same for declared workspaces and for slots.
{
  lib,
  choirosTypes,
  # where the volumes are, and whether the file system there has project quotas
  folder,
  quotas,
}:
let
  inherit (lib) mkOption types;
  weight = types.ints.between 1 10000;
in
{
  memoryMax = mkOption {
    type = choirosTypes.size;
    default = "2G";
    example = "512M";
    description = "Memory that each of the two sandboxes may use, with what it writes outside `/data`, and without swap: past it the kernel ends a process inside, and no other. All sandboxes of a host together get four fifths of its memory at most, whatever the sum of their limits. A change of it, and of the limits of processor, tasks and log, counts from the sandbox's next start: `hypervisor sandboxes stop` and `start`, or a promotion.";
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
}
