//! What a sign-in takes on this machine, at each cost that OWASP advises:
//! `cargo run --release -p ps-password --example cost`.

use std::{error::Error, num::NonZero, sync::Arc};

use ps_core::{AccountId, AccountVersion, Ambient, Clock, EmailAddress, Requester, SystemClock};
use ps_memory::MemoryStore;
use ps_password::{Change, HashCost, NewPassword, PasswordPolicy, Passwords, TypedPassword};

const SIGN_INS: i64 = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let account = AccountId::new("1")?;
    let alice = EmailAddress::parse("alice@example.com")?;
    let client = Requester::new([127, 0, 0, 1].into());
    let text = "correct horse battery staple".to_owned();
    let (new, typed) = (NewPassword::parse(text.clone())?, TypedPassword::new(text));
    for (memory, passes) in [
        (47_104, 1),
        (19_456, 2),
        (12_288, 3),
        (9_216, 4),
        (7_168, 5),
    ] {
        let policy = PasswordPolicy::default()
            .with_cost(HashCost::new(memory, passes)?)
            .with_threads(NonZero::<usize>::MIN);
        let store = Arc::new(MemoryStore::default());
        let passwords = Passwords::new(store.clone(), store, policy, Ambient::default());
        let first = Change {
            account: &account,
            address: &alice,
            keep: None,
            under: AccountVersion::default(),
            authenticated_at: SystemClock.now(),
            by_mailbox_or_provider: true,
            current: None,
        };
        passwords.change(first, &new, &client).await?;
        let start = SystemClock.now();
        for _ in 0..SIGN_INS {
            passwords
                .verify(&alice, Some(&account), &typed, &client)
                .await?;
        }
        let each = (SystemClock.now().as_millis() - start.as_millis()) as f64 / SIGN_INS as f64;
        println!("{memory:>6} KiB × {passes}: {each:.1} ms");
    }
    Ok(())
}
