//! How a suite lists its properties.

/// Declares the properties of a suite, chapter by chapter: `properties()`, and the hidden macro by
/// which [`conformance!`](crate::conformance!) makes a test of each. A property that stands in no
/// list is dead code, so none can be forgotten.
///
/// The `$` goes on to the inner macro, which has no other way to write one.
macro_rules! suite {
    ($dollar:tt $suite:ident $macro:ident { $($chapter:ident { $($property:ident)* })* }) => {
        /// Every property of this suite.
        #[must_use]
        pub fn properties<H>() -> Vec<crate::conformance::Property<H>>
        where
            H: crate::conformance::Harness<Store: Ports>,
        {
            vec![$($(
                crate::conformance::Property::<H>::new(
                    stringify!($suite),
                    stringify!($property),
                    |store: Arc<H::Store>| Box::pin(async move { $chapter::$property(store).await.into() }),
                ),
            )*)*]
        }

        #[doc(hidden)]
        #[macro_export]
        macro_rules! $macro {
            ($dollar harness:expr) => {
                $($(
                    #[test]
                    fn $property() {
                        let properties = $crate::conformance::$suite::properties();
                        $crate::conformance::hold(&$dollar harness, &properties, stringify!($property));
                    }
                )*)*

                #[test]
                #[ignore = "the suite's table: -- --ignored --nocapture table"]
                fn table() {
                    let properties = $crate::conformance::$suite::properties();
                    $crate::conformance::show(|| $dollar harness, properties);
                }
            };
        }
    };
}

/// Makes a test of each property of these suites, on what the harness gives: for each suite a
/// module of its name, and in it for each property a `#[test]` of its name, and an ignored one that
/// prints the suite's table.
///
/// The harness is an expression, evaluated anew for each property. The suites are the modules of
/// [`conformance`](mod@crate::conformance); the features that they need must be on. The tests bring
/// their own runtime.
///
/// ```ignore
/// ps_testkit::conformance!(OnMine::in_a_new_directory() => users, accounts, keys);
/// ```
///
/// ```sh
/// cargo test --test conformance                                # all of it
/// cargo test --test conformance keys::                         # one suite
/// cargo test --test conformance keys::a_revoked_key_stays      # one property
/// cargo test --test conformance table -- --ignored --nocapture # the tables
/// ```
#[macro_export]
macro_rules! conformance {
    ($harness:expr => $($suite:ident),+ $(,)?) => {
        $(
            mod $suite {
                #[allow(unused_imports)]
                use super::*;

                $crate::conformance!(@$suite $harness);
            }
        )+
    };
    (@accounts $harness:expr) => { $crate::__accounts!($harness); };
    (@across_flows $harness:expr) => { $crate::__across_flows!($harness); };
    (@challenges $harness:expr) => { $crate::__challenges!($harness); };
    (@challenges_at_rest $harness:expr) => { $crate::__challenges_at_rest!($harness); };
    (@changes $harness:expr) => { $crate::__changes!($harness); };
    (@identities $harness:expr) => { $crate::__identities!($harness); };
    (@keys $harness:expr) => { $crate::__keys!($harness); };
    (@keys_at_rest $harness:expr) => { $crate::__keys_at_rest!($harness); };
    (@limiter $harness:expr) => { $crate::__limiter!($harness); };
    (@passwords $harness:expr) => { $crate::__passwords!($harness); };
    (@sessions $harness:expr) => { $crate::__sessions!($harness); };
    (@sessions_at_rest $harness:expr) => { $crate::__sessions_at_rest!($harness); };
    (@users $harness:expr) => { $crate::__users!($harness); };
}
