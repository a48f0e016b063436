//! HTTP: the bytes of a connection.
#![no_main]

cantus_fuzz::target!(1024, |bytes| {
    cantus_fuzz::http::exchange(bytes);
});
