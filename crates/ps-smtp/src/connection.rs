//! One dialogue with the mail server (RFC 5321).

use std::{io, net::SocketAddr, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        authentication::DEFAULT_MECHANISMS,
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt, Rset},
        extension::ClientId,
        response::{Response, Severity},
    },
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use crate::{
    InvalidSmtp, SmtpSettings,
    failure::{Cause, Progress, Stage},
    line_wise::LineWise,
    message::Written,
    settings::{Encryption, Login},
};

/// After how long the next of a host's addresses is tried.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where connections are made to, and what is said first.
pub(crate) struct Server {
    host: String,
    port: u16,
    channel: Channel,
    login: Option<Login>,
    hello: ClientId,
    from: Address,
}

enum Channel {
    Loopback,
    StartTls(TlsParameters),
    Tls(TlsParameters),
}

/// A connection on which mails can be handed in, one after the other.
///
/// lettre's own pool takes a connection back even when the sending on it was given up midway, and
/// then reads the late answer to one mail as the answer to the next. So this crate keeps its own
/// and speaks command by command.
pub(crate) struct Connection(AsyncSmtpConnection);

impl Server {
    pub(crate) fn new(settings: SmtpSettings) -> Result<Self, InvalidSmtp> {
        let channel = match settings.encryption {
            Encryption::Loopback => Channel::Loopback,
            Encryption::StartTls => Channel::StartTls(settings.tls()?),
            Encryption::Tls => Channel::Tls(settings.tls()?),
        };
        let from = settings.from.email;
        Ok(Self {
            host: settings.host,
            port: settings.port,
            channel,
            login: settings.login,
            hello: ClientId::Domain(from.domain().to_owned()),
            from,
        })
    }

    pub(crate) async fn connect(&self, progress: &Progress) -> Result<Connection, Cause> {
        progress.reach(Stage::Connecting);
        let hello = &self.hello;
        let mut smtp = match &self.channel {
            Channel::Loopback => {
                let stream = self.dial(|address| address.ip().is_loopback()).await?;
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello).await?
            }
            Channel::StartTls(tls) => {
                let stream = LineWise::new(self.dial(|_| true).await?);
                let stream = Box::new(stream);
                let mut smtp = AsyncSmtpConnection::connect_with_transport(stream, hello).await?;
                progress.reach(Stage::StartTls);
                smtp.starttls(tls.clone(), hello).await?;
                smtp
            }
            Channel::Tls(tls) => {
                let (at, tls) = ((self.host.as_str(), self.port), Some(tls.clone()));
                AsyncSmtpConnection::connect_tokio1(at, Some(PATIENCE), hello, tls, None).await?
            }
        };
        if let Some(login) = &self.login {
            progress.reach(Stage::Login);
            smtp.auth(DEFAULT_MECHANISMS, &login.credentials()).await?;
        }
        Ok(Connection(smtp))
    }

    pub(crate) fn from(&self) -> &Address {
        &self.from
    }

    /// The first of the host's addresses that answers.
    async fn dial(&self, may_be: fn(&SocketAddr) -> bool) -> Result<TcpStream, Cause> {
        let broken = |error: io::Error| Cause::Broken(Box::new(error));
        let host = (self.host.as_str(), self.port);
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in lookup_host(host).await.map_err(broken)?.filter(may_be) {
            match timeout(PATIENCE, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // The end of a text is a write of its own, and would wait for an acknowledgement.
                    stream.set_nodelay(true).map_err(broken)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
            }
        }
        Err(broken(last))
    }
}

impl Connection {
    /// Hands one mail in. `Ok` once the server has taken it.
    pub(crate) async fn deliver(
        &mut self,
        from: &Address,
        mail: &Written,
        progress: &Progress,
    ) -> Result<(), Cause> {
        let Self(smtp) = self;
        progress.reach(Stage::Sender);
        let sender = Mail::new(Some(from.clone()), Vec::new());
        expect(DONE, &smtp.command(sender).await?)?;
        progress.reach(Stage::Recipient);
        let recipient = Rcpt::new(mail.to.clone(), Vec::new());
        expect(DONE, &smtp.command(recipient).await?)?;
        progress.reach(Stage::Data);
        expect(GO_ON, &smtp.command(Data).await?)?;
        progress.reach(Stage::Text);
        expect(DONE, &smtp.message(&mail.bytes).await?)
    }

    /// Makes the server forget the last mail, and shows that it is still there.
    pub(crate) async fn reset(&mut self) -> Result<(), Cause> {
        expect(DONE, &self.0.command(Rset).await?)
    }

    /// Says goodbye (RFC 5321 §4.1.1.10).
    pub(crate) async fn quit(mut self) {
        self.0.abort().await;
    }
}

const DONE: Severity = Severity::PositiveCompletion;
const GO_ON: Severity = Severity::PositiveIntermediate;

/// lettre takes any 2xx or 3xx for a yes to anything.
fn expect(severity: Severity, answer: &Response) -> Result<(), Cause> {
    match answer.code().severity == severity {
        true => Ok(()),
        false => Err(Cause::Unexpected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever `localhost` means to the resolver.
    #[tokio::test]
    async fn clear_text_stays_on_this_machine() {
        let settings = SmtpSettings::parse("smtp://localhost", "mail@example.com");
        let mut settings = settings.unwrap();
        settings.host = "192.0.2.1".to_owned();
        let server = Server::new(settings).unwrap();
        let Err(Cause::Broken(error)) = server.connect(&Progress::default()).await else {
            panic!("a documentation address answered");
        };
        let error = error.downcast::<io::Error>().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
