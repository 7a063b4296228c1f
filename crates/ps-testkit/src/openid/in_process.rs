//! The provider as an HTTP client whose every request arrives there.

use std::{io, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ps_oauth::{HttpClient, HttpError};

use super::{FakeProvider, Misbehaviour};

/// How long an implementation of the port waits for an answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Keeps to the port: an answer that takes 10 s or more, by the provider's clock, and one that breaks
/// off are `Unreachable`; one of more than `at_most` bytes is `TooLong`; no redirect is followed.
#[async_trait]
impl HttpClient for FakeProvider {
    async fn send(
        &self,
        request: Request<Bytes>,
        at_most: usize,
    ) -> Result<Response<Bytes>, HttpError> {
        self.count(request.uri());
        let misbehaviour = self.state().misbehaviour;
        match misbehaviour {
            Some(Misbehaviour::Slow(span)) => {
                self.clock().sleep(span.min(DEADLINE)).await;
                if span >= DEADLINE {
                    return Err(unreachable(io::ErrorKind::TimedOut));
                }
            }
            Some(Misbehaviour::Reset) => return Err(unreachable(io::ErrorKind::ConnectionReset)),
            _ => {}
        }
        let answer = self.answer(&request);
        if answer.body().len() > at_most {
            return Err(HttpError::TooLong);
        }
        Ok(answer)
    }
}

fn unreachable(kind: io::ErrorKind) -> HttpError {
    HttpError::Unreachable(Box::new(io::Error::from(kind)))
}
