"""slot-files.py PLAN OUT: what there is for each slot, from the plan that the module has made, below the folder OUT.

Which addresses are for slots stands in the address plan (modules/lib/plan.nix).
"""
import ipaddress
import json
import os
import sys


def sandboxes(plan):
    """Those of all slots: number, name, the host's address, their own."""
    for number in range(1, plan["slots"] + 1):
        for place, role in enumerate(("live", "dev")):
            run, block = divmod(2 * (number - 1) + place, plan["slotBlocks"])
            first = ipaddress.ip_address(plan["first"] + 4 * ((plan["slotBlocks"] + 1) * run + 1 + block))
            yield number, f"s{number}-{role}", first + 1, first + 2


def nft_set(name, kind, elements):
    """As nft reads it inside of a table. It knows no empty list."""
    listed = ["  elements = {\n    " + ",\n    ".join(elements) + "\n  }\n"] if elements else []
    return "".join([f"set {name} {{\n  type {kind}\n", *listed, "}\n"])


def write_units(plan, slots, folder):
    for number, name, host, own in slots:
        unit = f"{folder}/container@{name}.service"
        os.symlink(plan["container"], unit)
        os.mkdir(f"{unit}.d")
        with open(f"{unit}.d/slot.conf", "w") as lines:
            lines.write(
                f"[Service]\nEnvironment=SLOT={number} SANDBOX_ID={plan['firstId'] + number}"
                f" HOST_ADDRESS={host} LOCAL_ADDRESS={own}\n"
                f"IPAddressAllow={host} {own}\n"
            )
    for number in range(1, plan["slots"] + 1):
        os.symlink(plan["volume"], f"{folder}/choiros-slot-volume-{number}@.service")


def main(plan, out):
    slots = list(sandboxes(plan))
    os.makedirs(f"{out}/units")
    write_units(plan, slots, f"{out}/units")

    def write(name, text):
        with open(f"{out}/{name}", "w") as file:
            file.write(text)

    # a line for each slot, for the gateway
    pairs = zip(slots[::2], slots[1::2])
    write("table", "".join(f"{number} {live}:{plan['port']} {dev}:{plan['port']}\n" for (number, _, _, live), (*_, dev) in pairs))

    # for the firewall, with the declared sandboxes in the same sets
    links = [(f'"ve-{name}"', host, address) for _, name, host, address in slots]
    every = [('"' + s["interface"] + '"', s["hostAddress"], s["address"]) for s in plan["declared"]] + links
    write(
        "inet.nft",
        nft_set("links", "ifname", [link for link, _, _ in every])
        + nft_set("slots", "ifname", [link for link, _, _ in links])
        + nft_set("addresses", "ifname . ipv4_addr", [f"{link} . {address}" for link, _, address in every]),
    )
    write(
        "arp.nft",
        nft_set("links", "ifname", [link for link, _, _ in every])
        + nft_set("neighbours", "ifname . ipv4_addr . ipv4_addr", [f"{link} . {address} . {host}" for link, host, address in every]),
    )
    write("forward.nft", f"iifname {{ {', '.join(link for link, _, _ in links)} }} accept\n" if links else "")


if __name__ == "__main__":
    with open(sys.argv[1]) as text:
        main(json.load(text), sys.argv[2])
