# modules/OPTIONS.md: every option with type, default and example, from nothing but the declarations.
{ lib, pkgs }:
let
  declared = lib.evalModules {
    modules = [
      { _module.args = { inherit pkgs; }; }
      {
        # what two defaults look at, of NixOS
        options.services.openssh = lib.mkOption { type = lib.types.raw; };
      }
    ]
    ++ map (concern: ../../modules + "/${concern}/options.nix") [
      "gateway"
      "origins"
      "workspaces"
      "slots"
      "hypervisor"
      "ingress"
      "firewall"
      "rollout"
      "backup"
      "monitoring"
    ];
  };

  # each option that has a page's worth to say, and those of the submodules below it
  visible = o: !(o.internal or false) && (o.visible or true) != false;
  walk =
    path: tree:
    lib.concatLists (
      lib.mapAttrsToList (
        name: o:
        let
          here = path ++ [ name ];
        in
        if name == "_module" then
          [ ]
        else if lib.isOption o then
          lib.optionals (visible o) (
            [
              {
                inherit here o;
              }
            ]
            ++ walk (here ++ lib.optional (o.type.name == "attrsOf") "<name>") (below o.type)
          )
        else
          walk here o
      ) tree
    );
  below =
    type:
    if type.name == "nullOr" then
      below type.nestedTypes.elemType
    else if type.name == "submodule" then
      type.getSubOptions [ ]
    else if type.name == "attrsOf" && type.nestedTypes.elemType.name == "submodule" then
      type.nestedTypes.elemType.getSubOptions [ ]
    else
      { };

  describe =
    t:
    # a file format's type contains itself
    if lib.hasSuffix " value" (t.description or "") then
      t.description
    else if t.name == "nullOr" then
      "null or ${describe t.nestedTypes.elemType}"
    else if t.name == "listOf" then
      "list of (${describe t.nestedTypes.elemType})"
    else if t.name == "attrsOf" then
      "attribute set of (${describe t.nestedTypes.elemType})"
    else if t.name == "either" then
      "${describe t.nestedTypes.left} or ${describe t.nestedTypes.right}"
    else
      t.description or t.name;

  # Nix, for a reader
  show =
    v:
    if lib.isAttrs v && v ? _type then
      v.text
    else if lib.isAttrs v then
      if v == { } then
        "{ }"
      else
        "{ ${lib.concatStrings (lib.mapAttrsToList (n: x: "${n} = ${show x}; ") v)}}"
    else if lib.isList v then
      if v == [ ] then "[ ]" else "[ ${lib.concatMapStrings (x: "${show x} ") v}]"
    else
      builtins.toJSON v;
  code =
    v:
    let
      text = lib.removeSuffix "\n" (show v);
    in
    if (v._type or "") == "literalMD" then
      text
    else if lib.hasInfix "\n" text then
      "\n\n```nix\n${text}\n```"
    else
      "`${text}`";
  entry =
    { here, o }:
    "## `${lib.concatStringsSep "." here}`\n\n${o.description}\n\n"
    + "- type: ${describe o.type}\n"
    + (
      if o ? defaultText || o ? default then
        "- default: ${code (o.defaultText or o.default)}\n"
      else
        "- no default: it must be set\n"
    )
    + lib.optionalString (o ? example) "- example: ${code o.example}\n";
in
"# Options of `services.choiros`\n\nGenerated from the modules; a check keeps it current.\n\n"
+ lib.concatMapStringsSep "\n" entry (
  walk [ "services" "choiros" ] declared.options.services.choiros
)
