# The address plan: the network in blocks of four addresses, each for one sandbox's wire. Of a block the second address is
# the host's end, and the third the sandbox's own. Of each 64 blocks the first is for a declared sandbox, and the others
# are for slots'.
{ lib }:
network:
let
  networks = import ./networks.nix { inherit lib; };
  inherit (networks.v4 network) address prefix;
  runs = networks.power (24 - prefix);
in
rec {
  # as a number
  first = address;
  # of each 64, the blocks for slots' sandboxes
  slotBlocks = 63;

  # Of a declared workspace with the index i, live has the blocks' run 2i - 1, and dev 2i.
  mostIndex = (runs - 1) / 2;
  declared =
    run:
    let
      block = first + 4 * (slotBlocks + 1) * run;
    in
    {
      hostAddress = networks.text (block + 1);
      address = networks.text (block + 2);
    };

  # which address each of them has is reckoned where they are written out, in programs/slot-files.py
  mostSlots = slotBlocks * runs / 2;
}
