//! Before, the file, and after.

use super::*;

const ADA: Uuid = Uuid::from_u128(0xa);
const BOB: Uuid = Uuid::from_u128(0xb);

fn declared(text: &[(&str, &[&str])]) -> Declared {
    let workspace = |members: &[&str]| Workspace {
        members: members.iter().map(ToString::to_string).collect(),
        ..Workspace::default()
    };
    text.iter()
        .map(|(name, members)| ((*name).to_owned(), workspace(members)))
        .collect()
}

fn rows(text: &[(&str, bool, &[Uuid])]) -> Vec<WorkspaceRow> {
    let row = |(name, retired, members): &(&str, bool, &[Uuid])| WorkspaceRow {
        retired: *retired,
        ..new_row(name, members.to_vec())
    };
    text.iter().map(row).collect()
}

fn to(user: Uuid, from: Option<&str>, to: Option<&str>) -> Move {
    Move {
        user,
        from: from.map(Into::into),
        to: to.map(Into::into),
    }
}

/// What becomes of the stored `before` with the file's `file`: new, retired or back, moved.
fn check(
    what: &str,
    before: &[(&str, bool, &[Uuid])],
    file: &[(&str, &[&str])],
    can_create: bool,
    after: (&[&str], &[(&str, bool)], &[Move]),
) {
    let ids = HashMap::from([("ada".to_owned(), ADA), ("bob".to_owned(), BOB)]);
    let change = plan(&declared(file), can_create, &rows(before), &ids);
    let new: Vec<_> = change.create.iter().map(|row| &*row.name).collect();
    let retire: Vec<_> = change
        .retire
        .iter()
        .map(|(name, it)| (&**name, *it))
        .collect();
    assert_eq!(new, after.0, "{what}");
    assert_eq!(retire, after.1, "{what}");
    assert_eq!(change.moves, after.2, "{what}");
}

#[test]
fn what_the_file_says_is_what_holds() {
    let none = (&[][..], &[][..], &[][..]);
    let one_of_ada: &[_] = &[("one", false, &[ADA][..])];
    check("the same", one_of_ada, &[("one", &["ada"])], false, none);
    check(
        "case, blanks",
        one_of_ada,
        &[("one", &[" Ada\t"])],
        false,
        none,
    );
    check("names nobody", one_of_ada, &[("one", &[])], false, none);
    check(
        "no account yet",
        one_of_ada,
        &[("one", &["ada", "cyd"])],
        false,
        none,
    );
    let out = [to(ADA, Some("one"), None)];
    let is_out = (&[][..], &[][..], &out[..]);
    check(
        "only one without an account",
        one_of_ada,
        &[("one", &["cyd"])],
        false,
        is_out,
    );
    check(
        "the same with processes",
        one_of_ada,
        &[("one", &["cyd"])],
        true,
        is_out,
    );
    let exchanged = [
        to(ADA, Some("one"), Some("two")),
        to(BOB, Some("two"), Some("one")),
    ];
    check(
        "exchanged",
        &[("one", false, &[ADA]), ("two", false, &[BOB])],
        &[("one", &["BOB"]), ("two", &["ada "])],
        false,
        (&[], &[], &exchanged),
    );
}

#[test]
fn workspaces_come_and_go_as_the_file_says() {
    let none = (&[][..], &[][..], &[][..]);
    let one_of_ada: &[_] = &[("one", false, &[ADA][..])];
    let renamed = [to(ADA, Some("one"), Some("uno"))];
    let file: &[(&str, &[&str])] = &[("uno", &["ada"])];
    check(
        "renamed",
        one_of_ada,
        file,
        false,
        (&["uno"], &[("one", true)], &renamed),
    );
    check(
        "renamed, processes",
        one_of_ada,
        file,
        true,
        (&["uno"], &[], &renamed),
    );
    let file: &[(&str, &[&str])] = &[("uno", &[])];
    check(
        "renamed, names nobody",
        one_of_ada,
        file,
        false,
        (&["uno"], &[("one", true)], &[]),
    );
    let retired: &[_] = &[("one", true, &[ADA][..])];
    check("still gone", retired, &[], false, none);
    check(
        "back",
        retired,
        &[("one", &[])],
        false,
        (&[], &[("one", false)], &[]),
    );
    check(
        "processes now",
        retired,
        &[],
        true,
        (&[], &[("one", false)], &[]),
    );
    let back: &[(&str, &[&str])] = &[("one", &["bob"])];
    let both = [to(ADA, Some("one"), None), to(BOB, None, Some("one"))];
    check(
        "back for another",
        retired,
        back,
        false,
        (&[], &[("one", false)], &both),
    );
    let joined = [to(ADA, None, Some("one"))];
    check(
        "named at last",
        &[],
        &[("one", &["ada"])],
        false,
        (&["one"], &[], &joined),
    );
    let added = [to(BOB, None, Some("one"))];
    check(
        "one more",
        one_of_ada,
        &[("one", &["ada", "bob"])],
        false,
        (&[], &[], &added),
    );
}

#[test]
fn a_user_is_named_however_the_name_is_written() {
    let file = declared(&[("one", &["x"]), ("two", &[" Ada@Example.org "])]);
    assert_eq!(names(&file, "ada@example.org"), Some(&"two".to_owned()));
    assert_eq!(names(&file, "ada"), None);
}
