//! A store that is sound but for one flaw.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ps_apikey::{ApiKeyRecord, KeyPrefix};
use ps_core::{
    AccountId, ChallengeId, Changes, Cursor, EmailAddress, KeyId, LimitKey, Random, SessionId,
    Timestamp,
};
use ps_magiccode::Challenge;
use ps_memory::MemoryStore;
use ps_oauth::{Identity, LinkedIdentity};
use ps_password::PasswordHash;
use ps_testkit::SeededRandom;
use sha2::{Digest, Sha256};

/// Which rule is broken. Each is named for what the store does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    AddressUnbounded,
    AllRaiseNothing,
    AnyAddress,
    AnyPurpose,
    AttemptsCountedBeforeJudged,
    AttemptsNotCounted,
    AttemptsReadThenWritten,
    BudgetEndsEarly,
    ChallengesPurgedUnbounded,
    ClaimEnables,
    ClaimForgetsLifted,
    ClaimForgetsTooEarly,
    ClaimIgnoresVersion,
    ClaimKeepsIdentities,
    ClaimKeepsKeys,
    ClaimKeepsPassword,
    ClaimKeepsRemovedIdentities,
    ClaimKeepsSessions,
    ClaimProvesNothing,
    ClaimRemembersTheLast,
    ClaimUntold,
    CodeEndsEarly,
    CodeEndsLate,
    ConsumedReadThenWritten,
    ConsumedTwice,
    CountsKeptADay,
    DisableAnswersAlways,
    DisableForgetsIdentities,
    DisableForgetsPassword,
    DisableRaisesNothing,
    DisableUntold,
    DisabledOwnersKeyGiven,
    EnableRaises,
    EnableUntold,
    EndAnswersAgain,
    EndEndsLate,
    EndIgnoresOwner,
    EndUntold,
    EndedForgotten,
    EndedSinceExclusive,
    EndedSinceReadsTwice,
    EverywhereNotCounted,
    FeedBackwards,
    FeedCommitsLate,
    FeedMissesSome,
    FeedOutOfOrder,
    FeedPurgesAll,
    FeedPurgesNothing,
    FeedRepeats,
    ForgetsUsers,
    IdentitiesOfAnybody,
    IdentitiesUnordered,
    IdentityFoldsCase,
    IdentityForgetsIssuer,
    IdentityForgetsProvider,
    IdentityRunsTogether,
    KeepsCodes,
    KeepsDigestsOfCodes,
    KeepsKeys,
    KeepsReferences,
    KeyBatchIsCut,
    KeyForgetsAddresses,
    KeyFoundByAnyDigest,
    KeyIgnoresVersion,
    KeyReplacesItsTwin,
    KeysCountedInTheirGrace,
    KeysCountedWithoutLock,
    KeysOldestFirst,
    KnownBrowsersAreStrangers,
    LanesAreOne,
    LiftKeepsTheOldAddress,
    LiftNeedsItsOwner,
    LimitByTheLatestClock,
    LimitByTheMinute,
    LimitCountsAKeyOnce,
    LimitCountsQuestions,
    LimitCountsRefused,
    LimitEndsEarly,
    LimitEndsLate,
    LimitEvicts,
    LimitGivesAllBack,
    LimitGivesBackFirst,
    LimitGivesBackLast,
    LimitGivesBackWithoutEnd,
    LimitGivesNothingBack,
    LimitGivesTheLatestBack,
    LimitReadsThenWrites,
    LinkForgetsEmail,
    LinkIgnoresVersion,
    LinkLiftsUnasked,
    LinkMoves,
    LinkNeverLifts,
    LinkOverwrites,
    LinkReadsThenWrites,
    ListEndsLate,
    ListIgnoresOwner,
    ListUnordered,
    MailsCountedByPurpose,
    MailsCountedWithoutLock,
    OldestEnds,
    OpenEndsLate,
    OpenIgnoresFamily,
    OpenIgnoresVersion,
    OpenNotCounted,
    OpenReplacesItsTwin,
    OpenReplacesNothing,
    OpenUntold,
    OthersEndAll,
    OthersRaiseNothing,
    PageAlwaysHasANext,
    PageRepeatsItsLast,
    PasswordIsCut,
    PasswordIsSetOnce,
    PlacedForgetsItsKey,
    PlacedReplacesItsTwin,
    PurgeForgetsCounts,
    RefreshEndsLate,
    RefreshForgetsTheKeyBefore,
    RefreshIgnoresVersion,
    RefreshReadsThenWrites,
    RefreshTakesAnyGeneration,
    RefreshTakesEnded,
    RegistersAgain,
    RegistersLookalikes,
    RehashDoesNothing,
    RehashIsUnconditional,
    RehashRaises,
    RehashReadsThenWrites,
    ReplaceCarriesNothing,
    ReplaceEndsTheKept,
    ReplaceIgnoresVersion,
    ReplaceKeepsAnything,
    ReplaceKeepsSessions,
    ReplaceRaisesNothing,
    ReplaceReadsThenWrites,
    ReplaceTakesDisabled,
    ReplaceUntold,
    ResendExtends,
    ResendNeverWaits,
    ResendNotCounted,
    ResendOfTheDying,
    RevokeIgnoresOwner,
    RevokeKeepsALaterEnd,
    RevokeMovesOn,
    RevokeUntold,
    RevokedKeyGiven,
    RevokedKeyHidden,
    RightCountsAsWrong,
    RotateForgetsScopes,
    RotateIgnoresOwner,
    RotateIgnoresVersion,
    RotateNeedsRoom,
    RotateOutlivesTheKey,
    RotateReadsThenWrites,
    RotateStopsHalfway,
    RotateTakesExpired,
    RotateUndoesRevocation,
    RotateUntold,
    SessionForgetsUserAgent,
    SessionsCountedWithoutLock,
    SessionsHidden,
    SessionsPurgedEarly,
    SessionsPurgedUnbounded,
    StandingProven,
    TouchGoesBack,
    TouchStopsInGrace,
    TouchTakesRevoked,
    UnlinkAnswersAgain,
    UnlinkCountsBeforeItLocks,
    UnlinkCountsItsOwn,
    UnlinkCountsRemoved,
    UnlinkForgets,
    UnlinkIgnoresConfigured,
    UnlinkIgnoresOwner,
    UnlinkIgnoresPassword,
    UnlinkIgnoresProvider,
    UnlinkIgnoresVersion,
    UnlinkMovesEarlierRemovals,
    UnlinkRemovesOne,
    UnlinkTakesTheLast,
    UnlinkedListed,
    UpdateClearsTheRest,
    UpdateIgnoresOwner,
    UpdateNeedsLiveKey,
    UpdateReadsThenWrites,
    UpdateTakesRevoked,
    UpdateUndoesRevocation,
    UpdateUntold,
    UsedKeepsItsMails,
    WrongForgottenEarly,
    WrongNotCounted,
}

/// Passes everything on to a sound store, but for what its flaw does.
pub(crate) struct Broken {
    pub(crate) flaw: Flaw,
    notes: Mutex<Notes>,
}

/// What a flaw needs to know, and what stands at rest.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) sound: MemoryStore,
    pub(crate) asked: u32,
    pub(crate) latest: Option<Timestamp>,
    /// Places in the feed that are not told.
    pub(crate) untold: BTreeSet<Cursor>,
    /// Keys as they were made.
    pub(crate) keys: HashMap<KeyId, ApiKeyRecord>,
    pub(crate) used: HashMap<KeyId, Timestamp>,
    /// Keys whose end is not seen.
    pub(crate) revived: HashSet<KeyId>,
    pub(crate) revived_sessions: HashSet<SessionId>,
    pub(crate) challenges: HashMap<ChallengeId, Challenge>,
    pub(crate) consumed: HashSet<ChallengeId>,
    pub(crate) guesses: Vec<(EmailAddress, Timestamp)>,
    /// Every identity as it was linked.
    pub(crate) linked: Vec<LinkedIdentity>,
    /// Identities that are not seen.
    pub(crate) hidden: HashSet<Identity>,
    pub(crate) mails: u32,
    pub(crate) owed: HashMap<(LimitKey, Timestamp), i32>,
    /// What is seen instead of what is stored.
    pub(crate) passwords: HashMap<AccountId, Option<PasswordHash>>,
    pub(crate) at_rest: Vec<u8>,
}

impl Broken {
    pub(crate) fn new(flaw: Flaw) -> Self {
        let notes = Mutex::default();
        Self { flaw, notes }
    }

    pub(crate) fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sound(&self) -> MemoryStore {
        self.notes().sound.clone()
    }

    pub(crate) fn keep(&self, bytes: &[u8]) {
        self.notes().at_rest.extend_from_slice(bytes);
    }

    /// Acts, and where this is the flaw tells nobody of it.
    pub(crate) async fn telling<T>(&self, unless: Flaw, act: impl Future<Output = T>) -> T {
        let end = async || {
            self.sound()
                .ended_since(Timestamp::from_millis(0))
                .await
                .unwrap()
                .0
        };
        let before = end().await;
        let answer = act.await;
        if self.is(unless) {
            let places = (before.number() + 1)..=end().await.number();
            self.notes().untold.extend(places.map(Cursor::new));
        }
        answer
    }

    /// Lets the others come in between.
    pub(crate) async fn pause(&self) {
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broken({:?})", self.flaw)
    }
}

/// What the flow's service draws first, and what a store that sees through digests would keep.
impl Broken {
    pub(crate) fn dump(&self) -> Vec<u8> {
        let mut dump = self.notes().at_rest.clone();
        let random = SeededRandom::new(0);
        match self.flaw {
            Flaw::KeepsKeys => {
                let key = KeyPrefix::default().issue(&random);
                dump.extend_from_slice(key.expose().as_bytes());
            }
            Flaw::KeepsReferences => {
                let mut reference = [0; 32];
                random.fill(&mut reference);
                dump.extend_from_slice(&reference);
            }
            Flaw::KeepsCodes => {
                for code in 0..1_000_000 {
                    dump.extend_from_slice(format!("{code:06} ").as_bytes());
                }
            }
            Flaw::KeepsDigestsOfCodes => {
                for code in 0..1_000_000 {
                    dump.extend_from_slice(&Sha256::digest(format!("{code:06}")));
                }
            }
            _ => {}
        }
        dump
    }
}
