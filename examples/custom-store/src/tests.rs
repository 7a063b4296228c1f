//! What no suite can know: what this store does about its own disk.

use super::*;

fn user(name: &str) -> User {
    User {
        id: AccountId::new(name).unwrap(),
        email: EmailAddress::parse(&format!("{name}@example.com")).unwrap(),
        created_at: Timestamp::from_seconds(1_795_341_600),
    }
}

fn add(users: &FileUsers, user: &User) {
    users.0.lock().unwrap().add(user.clone()).unwrap();
}

fn knows(users: &FileUsers, user: &User) -> bool {
    users.0.lock().unwrap().by_email(&user.email).as_ref() == Some(user)
}

#[test]
fn who_was_acknowledged_is_there_after_a_restart() {
    let harness = InAFile::new();
    let users = FileUsers::open(&harness.0).unwrap();
    add(&users, &user("a"));
    add(&users, &user("b"));
    drop(users);
    let users = FileUsers::open(&harness.0).unwrap();
    assert!(knows(&users, &user("a")) && knows(&users, &user("b")));
}

#[test]
fn a_line_that_broke_off_is_cut_and_no_user() {
    let harness = InAFile::new();
    let users = FileUsers::open(&harness.0).unwrap();
    add(&users, &user("a"));
    drop(users);
    let mut file = OpenOptions::new().append(true).open(&harness.0).unwrap();
    let line = write(&user("b"));
    file.write_all(&line.as_bytes()[..line.len() - 1]).unwrap();
    drop(file);
    let users = FileUsers::open(&harness.0).unwrap();
    assert!(knows(&users, &user("a")) && !knows(&users, &user("b")));
    // What comes next is whole.
    add(&users, &user("c"));
    drop(users);
    let users = FileUsers::open(&harness.0).unwrap();
    assert!(knows(&users, &user("a")) && knows(&users, &user("c")));
}

#[test]
fn what_is_no_user_is_not_passed_over() {
    let harness = InAFile::new();
    std::fs::write(&harness.0, "{\"id\":\"a\"}\n").unwrap();
    assert!(FileUsers::open(&harness.0).is_err());
}

#[test]
fn two_processes_do_not_share_a_file() {
    let harness = InAFile::new();
    let _first = FileUsers::open(&harness.0).unwrap();
    assert!(FileUsers::open(&harness.0).is_err());
}
