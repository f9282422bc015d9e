//! A way to a network that can be cut.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A way to the network that can be cut.
pub struct Relay {
    /// Where it begins.
    pub url: String,
    open: watch::Sender<bool>,
}

impl Relay {
    /// A way to a server.
    ///
    /// # Panics
    /// For what is no address, or without a free port.
    pub async fn to(url: &str) -> Self {
        let target: SocketAddr = url.trim_start_matches("http://").parse().expect("an address of this machine");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a port of this machine"));
        let (open, opened) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut incoming, _)) = listener.accept().await {
                let mut opened = opened.clone();
                tokio::spawn(async move {
                    if !*opened.borrow_and_update() {
                        return;
                    }
                    let Ok(mut outgoing) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut incoming, &mut outgoing) => (),
                        _ = opened.changed() => (),
                    }
                });
            }
        });
        Self { url, open }
    }

    /// Cuts it, or mends it.
    pub async fn set(&self, open: bool) {
        self.open.send_replace(open);
        // Connections that exist end on other threads.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
