# A workspace's limits, as settings of the unit that a sandbox's container is.
{ lib }:
limits:
{
  MemoryMax = limits.memoryMax;
  # What it could not hold in memory would be read and written all day, in the way of all others.
  MemorySwapMax = 0;
  TasksMax = limits.tasksMax;
  CPUWeight = limits.cpuWeight;
  IOWeight = limits.ioWeight;
  # The kernel ends one process inside; the service manager there starts it again.
  OOMPolicy = "continue";
  # If the host as a whole has no memory left, a sandbox's process goes first. Nothing inside can lower it.
  OOMScoreAdjust = 500;
  # of the console
  LogRateLimitIntervalSec = "30s";
  LogRateLimitBurst = limits.logRate;
}
// lib.optionalAttrs (limits.cpuQuota != null) { CPUQuota = "${toString limits.cpuQuota}%"; }
