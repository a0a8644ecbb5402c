//! Before, the file, and after.

use super::*;

const ADA: Uuid = Uuid::from_u128(0xa);
const BOB: Uuid = Uuid::from_u128(0xb);

fn ids() -> HashMap<String, Uuid> {
    HashMap::from([("ada".to_owned(), ADA), ("bob".to_owned(), BOB)])
}

/// Workspaces and their members, written `one:ada,bob;two:`.
fn entries(text: &str) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
    text.split_terminator(';').map(|entry| {
        let (name, members) = entry.split_once(':').unwrap();
        (name, members.split_terminator(','))
    })
}

fn declared(text: &str) -> Declared {
    let entries = entries(text).map(|(name, members)| {
        let members = members.map(ToOwned::to_owned).collect();
        let workspace = Workspace {
            members,
            ..Workspace::default()
        };
        (name.to_owned(), workspace)
    });
    entries.collect()
}

/// As they are stored; those that are retired have a hyphen in front.
fn rows(text: &str) -> Vec<WorkspaceRow> {
    let entries = entries(text).map(|(name, members)| {
        let kept = name.strip_prefix('-');
        let members = members.map(|member| ids()[member]).collect();
        WorkspaceRow {
            retired: kept.is_some(),
            members,
            ..WorkspaceRow::new(kept.unwrap_or(name))
        }
    });
    entries.collect()
}

/// What is new, retired or back, and who goes from where to where.
fn told(change: &Settlement) -> String {
    let new = change.create.iter().map(|row| format!("new {}", row.name));
    let retire = change.retire.iter().map(|(name, retired)| {
        let word = if *retired { "retired" } else { "back" };
        format!("{name} {word}")
    });
    let moves = change.moves.iter().map(|it| {
        let user = if it.user == ADA { "ada" } else { "bob" };
        let [from, to] = [&it.from, &it.to].map(|place| place.as_deref().unwrap_or("nowhere"));
        format!("{user} from {from} to {to}")
    });
    new.chain(retire)
        .chain(moves)
        .collect::<Vec<_>>()
        .join("; ")
}

/// What, the stored workspaces, the file's, whether more can be made, and what is to change.
#[rustfmt::skip] // A table.
const CASES: [(&str, &str, &str, bool, &str); 19] = [
    ("the same", "one:ada", "one:ada", false, ""),
    ("case, blanks", "one:ada", "one: Ada\t", false, ""),
    ("names nobody", "one:ada", "one:", false, ""),
    ("no account yet", "one:ada", "one:ada,cyd", false, ""),
    ("only one without an account", "one:ada", "one:cyd", false, "ada from one to nowhere"),
    ("the same with processes", "one:ada", "one:cyd", true, "ada from one to nowhere"),
    ("exchanged", "one:ada;two:bob", "one:BOB;two:ada ", false, "ada from one to two; bob from two to one"),
    ("renamed", "one:ada", "uno:ada", false, "new uno; one retired; ada from nowhere to uno"),
    ("renamed, processes", "one:ada", "uno:ada", true, "new uno; ada from nowhere to uno"),
    ("renamed, names nobody", "one:ada", "uno:", false, "new uno; one retired"),
    ("still gone", "-one:ada", "", false, ""),
    ("back", "-one:ada", "one:", false, "one back"),
    ("processes now", "-one:ada", "", true, "one back"),
    ("back for another", "-one:ada", "one:bob", false, "one back; ada from one to nowhere; bob from nowhere to one"),
    ("named at last", "", "one:ada", false, "new one; ada from nowhere to one"),
    ("one more", "one:ada", "one:ada,bob", false, "bob from nowhere to one"),
    ("in two", "one:ada", "one:ada;two:ada", false, "new two; ada from nowhere to two"),
    ("in two, and out of one", "one:ada;two:ada", "one:bob;two:ada", false, "ada from one to nowhere; bob from nowhere to one"),
    ("named, and in one that names nobody", "one:ada;two:", "one:;two:ada", false, "ada from nowhere to two"),
];

#[test]
fn what_the_file_says_is_what_holds() {
    for (what, before, file, can_create, after) in CASES {
        let kept = Kept {
            all: can_create,
            slots: 0,
        };
        let change = plan(&declared(file), kept, &rows(before), &ids());
        assert_eq!(told(&change), after, "{what}");
    }
}

#[test]
fn a_user_is_named_however_the_name_is_written() {
    let file = declared("one:x;two: Ada@Example.org ");
    assert_eq!(names(&file, "ada@example.org"), Some(&"two".to_owned()));
    assert_eq!(names(&file, "ada"), None);
}

#[test]
fn a_workspace_in_a_slot_is_served_as_long_as_there_is_one() {
    let mut rows = rows("one:ada");
    rows[0].slot = Some(4);
    for (slots, after) in [(4, ""), (3, "one retired")] {
        let kept = Kept { all: false, slots };
        let change = plan(&Declared::new(), kept, &rows, &ids());
        assert_eq!(told(&change), after, "{slots} slots");
    }
}
