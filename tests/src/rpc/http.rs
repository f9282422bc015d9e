//! As much of HTTP as JSON-RPC needs, with a thread for each connection: the requests of one never wait for another's.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// Answers the body of a request; with nothing, the service is out of order.
pub type Answer = dyn Fn(&[u8]) -> Option<String> + Send + Sync;

/// Answers whoever connects, until `listening` says no more.
pub fn serve(listener: &TcpListener, answer: &Arc<Answer>, listening: impl Fn() -> bool) {
    for stream in listener.incoming() {
        if !listening() {
            return;
        }
        let (Ok(stream), answer) = (stream, Arc::clone(answer)) else { continue };
        // Who goes away in the middle of a request gets no answer.
        thread::spawn(move || drop(converse(stream, &answer)));
    }
}

fn converse(stream: TcpStream, answer: &Arc<Answer>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    while let Some(body) = request(&mut input)? {
        let (status, body) = answer(&body).map_or(("503 Service Unavailable", String::new()), |body| ("200 OK", body));
        let length = body.len();
        write!(
            output,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )?;
    }
    Ok(())
}

/// The body of the next request; nothing where the connection ends.
fn request(input: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut length = 0;
    for place in 0.. {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() && place > 0 {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(Some(body))
}
