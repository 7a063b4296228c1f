//! The three ways to one answer.

use std::net::SocketAddr;

use ps_http::Connection;

use crate::{Answer, Asked, Mount, Place, Server, World, direct, exchange};

/// Three worlds alike: asked without a framework, by axum, and by actix-web.
#[derive(Debug)]
pub struct Ways {
    direct: World,
    axum: (World, Server),
    actix: (World, Server),
}

/// What the three answered; an error where there was no answer.
#[derive(Clone, Debug)]
pub struct Answers {
    /// Without a framework.
    pub direct: Result<Answer, String>,
    /// By axum.
    pub axum: Result<Answer, String>,
    /// By actix-web.
    pub actix: Result<Answer, String>,
}

impl Ways {
    /// Three new worlds at one place.
    pub async fn new(place: Place, mount: Mount) -> Self {
        let tls = place.ends_tls();
        let direct = World::new(place).await;
        let (axum, actix) = (World::new(place).await, World::new(place).await);
        let by_axum = Server::axum(axum.auth().clone(), tls, mount);
        let by_actix = Server::actix(actix.auth().clone(), tls, mount);
        Self {
            direct,
            axum: (axum, by_axum),
            actix: (actix, by_actix),
        }
    }

    /// The world without a framework, for looking things up: the others are like it.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.direct
    }

    /// The servers: axum's, actix-web's.
    #[must_use]
    pub fn servers(&self) -> [&Server; 2] {
        [&self.axum.1, &self.actix.1]
    }

    /// All three worlds, each to be treated as the others.
    pub fn worlds(&mut self) -> [&mut World; 3] {
        [&mut self.direct, &mut self.axum.0, &mut self.actix.0]
    }

    /// Signs in once more in each: see [`World::renew`].
    pub async fn renew(&mut self) {
        for world in self.worlds() {
            world.renew().await;
        }
    }

    /// The same request to all three.
    ///
    /// # Panics
    /// If it is not the same: something has come out differently before.
    pub async fn ask(&self, asked: &Asked) -> Answers {
        let bytes = asked.bytes(&self.direct);
        for world in [&self.axum.0, &self.actix.0] {
            assert!(
                asked.bytes(world) == bytes,
                "the worlds are apart: {asked:?}"
            );
        }
        let to_head = asked.method() == "HEAD";
        let on = Connection {
            peer: SocketAddr::from(([127, 0, 0, 1], 40_000)),
            tls: self.direct.place().ends_tls(),
        };
        let sent = async |server: &Server| {
            let answer = exchange(server.address(), &bytes, to_head).await;
            answer.map_err(|error| error.to_string())
        };
        let (direct, axum, actix) = tokio::join!(
            direct::ask(self.direct.auth(), &bytes, on),
            sent(&self.axum.1),
            sent(&self.actix.1),
        );
        for world in [&self.direct, &self.axum.0, &self.actix.0] {
            world.settle().await;
        }
        Answers {
            direct,
            axum,
            actix,
        }
    }
}

impl Answers {
    /// Where the three are not the same.
    #[must_use]
    pub fn difference(&self) -> Option<String> {
        let to_direct = |name, other: &Result<Answer, String>| match (&self.direct, other) {
            (Ok(one), Ok(other)) => {
                let difference = one.difference(other)?;
                Some(format!("ps-http | {name}: {difference}"))
            }
            (Err(one), _) => Some(format!("ps-http: {one}")),
            (_, Err(other)) => Some(format!("{name}: {other}")),
        };
        to_direct("axum", &self.axum).or_else(|| to_direct("actix", &self.actix))
    }
}
