//! One service on a socket, by either framework.

use std::{
    fmt,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use actix_web::{App, HttpServer, dev::Service, rt::System, web};
use axum::{Router, extract::Request, middleware, middleware::Next, routing};
use ps_http::Auth;

/// How our paths are mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// Every path is ours, known or not.
    Alone,
    /// Beside a host, which answers `the host's own` to every other path.
    Beside,
}

/// A service behind a socket of this machine. It ends when this is dropped.
pub struct Server {
    address: SocketAddr,
    reached: Arc<AtomicUsize>,
    end: Box<dyn FnMut() + Send>,
}

impl Server {
    /// Serves with axum, on the runtime that this is called in.
    ///
    /// # Panics
    /// If there is no socket to be had.
    #[must_use]
    pub fn axum(auth: Arc<Auth>, tls: bool, mount: Mount) -> Self {
        let (listener, address) = listen();
        let reached = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reached);
        let state = if tls {
            ps_axum::AuthState::tls(auth)
        } else {
            ps_axum::AuthState::plain(auth)
        };
        let rest = match mount {
            Mount::Alone => ps_axum::fallback(&state),
            Mount::Beside => Router::new().fallback(routing::any(|| async { HOST })),
        };
        let app = Router::new()
            .merge(ps_axum::routes(&state))
            .merge(rest)
            .layer(middleware::from_fn(move |request: Request, next: Next| {
                count.fetch_add(1, Ordering::Relaxed);
                next.run(request)
            }))
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = tokio::net::TcpListener::from_std(listener).expect("it does not block");
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            address,
            reached,
            end: Box::new(move || task.abort()),
        }
    }

    /// Serves with actix-web, on threads of its own.
    ///
    /// # Panics
    /// If there is no socket to be had.
    #[must_use]
    pub fn actix(auth: Arc<Auth>, tls: bool, mount: Mount) -> Self {
        let (listener, address) = listen();
        let reached = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reached);
        let state = if tls {
            ps_actix::AuthState::tls(auth)
        } else {
            ps_actix::AuthState::plain(auth)
        };
        let app = move || {
            let (count, state) = (Arc::clone(&count), state.clone());
            App::new()
                .wrap_fn(move |request, next| {
                    count.fetch_add(1, Ordering::Relaxed);
                    next.call(request)
                })
                .configure(ps_actix::routes(&state))
                .configure(move |app| match mount {
                    Mount::Alone => ps_actix::fallback(&state)(app),
                    Mount::Beside => {
                        app.default_service(web::to(|| async { HOST }));
                    }
                })
        };
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(app).workers(1).disable_signals();
                let server = server.listen(listener).expect("it is a socket").run();
                let _ = tell.send(server.handle());
                let _ = server.await;
            });
        });
        let handle = told.recv().expect("the server has begun");
        Self {
            address,
            reached,
            end: Box::new(move || drop(handle.stop(false))),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests the framework has handed to the application so far.
    #[must_use]
    pub fn reached(&self) -> usize {
        self.reached.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        (self.end)();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.address).finish()
    }
}

const HOST: &str = "the host's own";

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
    listener.set_nonblocking(true).expect("it is a socket");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}
