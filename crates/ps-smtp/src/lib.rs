#![doc = include_str!("../README.md")]

mod connection;
mod error;
mod failure;
mod line_wise;
mod mailer;
mod message;
mod pool;
mod sender;
mod settings;

pub use error::InvalidSmtp;
pub use mailer::SmtpMailer;
pub use settings::SmtpSettings;
