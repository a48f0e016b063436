//! A stream whose writes fail if its reader takes nothing for a time, so that a client that does not read its response does not hold
//! the connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream with a limit on the time of a write.
#[derive(Debug)]
pub(crate) struct WriteTimeout<S> {
    stream: S,
    timeout: Duration,
    /// Ends the write that waits; `None` if none waits.
    end: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteTimeout<S> {
    pub(crate) fn new(stream: S, timeout: Duration) -> Self {
        Self { stream, timeout, end: None }
    }
}

impl<S: AsyncWrite + Unpin> WriteTimeout<S> {
    /// Polls a write, and the time limit if it waits.
    fn limited<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let written = write(Pin::new(&mut self.stream), context);
        if written.is_ready() {
            self.end = None;
            return written;
        }
        let end = self.end.get_or_insert_with(|| Box::pin(sleep(self.timeout)));
        match end.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.limited(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.limited(context, |stream, context| stream.poll_write_vectored(context, buffers))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.limited(context, |stream, context| stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.limited(context, |stream, context| stream.poll_shutdown(context))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Read;
    use std::net::TcpListener;
    use std::thread;

    use tokio::net::TcpStream;

    use super::*;
    use crate::testing::block_on;

    /// More than the buffers of both sockets hold.
    const N_BYTES: usize = 64 << 20;

    /// Writes zeros to a client, which the other function is.
    fn write_to(
        timeout: Duration,
        client: impl FnOnce(std::net::TcpStream) + Send + 'static,
    ) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = thread::spawn(move || client(std::net::TcpStream::connect(address).unwrap()));
        let written = block_on(async {
            let (stream, _) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            let mut stream = WriteTimeout::new(TcpStream::from_std(stream).unwrap(), timeout);
            let zeros = vec![0; 64 << 10];
            for _ in 0..N_BYTES / zeros.len() {
                let mut left = &zeros[..];
                while !left.is_empty() {
                    let n = poll_fn(|context| Pin::new(&mut stream).poll_write(context, left)).await?;
                    left = &left[n..];
                }
            }
            Ok(())
        });
        client.join().unwrap();
        written
    }

    #[test]
    fn a_write_that_is_not_read_fails() {
        let written = write_to(Duration::from_millis(200), |stream| {
            thread::sleep(Duration::from_secs(1));
            drop(stream);
        });
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_write_that_is_read_slowly_does_not_fail() {
        let written = write_to(Duration::from_secs(5), |mut stream| {
            let mut buffer = vec![0; 8 << 20];
            for _ in 0..N_BYTES / buffer.len() {
                thread::sleep(Duration::from_millis(20));
                stream.read_exact(&mut buffer).unwrap();
            }
        });
        assert!(written.is_ok(), "{written:?}");
    }
}
