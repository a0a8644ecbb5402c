//! Raw requests, each malformed in one way, in the order of RFC 9112.

/// What is wrong with each, and its bytes.
pub const REQUESTS: &[(&str, &str)] = &[
    // 3.2, 7.2: the host
    ("no Host", "GET / HTTP/1.1\r\n\r\n"),
    (
        "two Hosts",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    ),
    (
        "two different Hosts",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    ),
    ("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    ("a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    (
        "a Host with a user",
        "GET / HTTP/1.1\r\nHost: user@localhost\r\n\r\n",
    ),
    (
        "a Host with a bad port",
        "GET / HTTP/1.1\r\nHost: localhost:port\r\n\r\n",
    ),
    (
        "a Host with a port too large",
        "GET / HTTP/1.1\r\nHost: localhost:70000\r\n\r\n",
    ),
    (
        "a Host with an open bracket",
        "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    ),
    ("a Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    (
        "a target that contradicts Host",
        "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n",
    ),
    // 3: the request line
    ("no version", "GET /\r\nHost: localhost\r\n\r\n"),
    (
        "an unknown version",
        "GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
    ),
    (
        "HTTP/2 without its preface",
        "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
    ),
    (
        "a version in lower case",
        "GET / http/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "two spaces before the target",
        "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "two spaces before the version",
        "GET /  HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "a tab for a space",
        "GET\t/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "a space after the version",
        "GET / HTTP/1.1 \r\nHost: localhost\r\n\r\n",
    ),
    (
        "a space in the target",
        "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "a fragment in the target",
        "GET /#top HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "a control byte in the target",
        "GET /\u{1} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "a method that is no token",
        "G(T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    ("an empty method", " / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (
        "a target without a slash",
        "GET health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    (
        "the asterisk for GET",
        "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    // 2.2: line ends
    ("bare LF everywhere", "GET / HTTP/1.1\nHost: localhost\n\n"),
    (
        "a bare LF after a field",
        "GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    ),
    (
        "a bare CR in a field",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
    ),
    // 5: fields
    (
        "a space before the colon",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n",
    ),
    (
        "a space in a field name",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX Y: z\r\n\r\n",
    ),
    (
        "a field without a colon",
        "GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
    ),
    (
        "a field without a name",
        "GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n",
    ),
    (
        "a folded field",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    ),
    (
        "white space before the first field",
        "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
    ),
    (
        "a NUL in a field",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    ),
    // 6: body length
    (
        "Content-Length then chunked",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked then Content-Length",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    (
        "two Content-Lengths that differ",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ),
    (
        "two Content-Lengths that agree",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    ),
    (
        "a list of Content-Lengths",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r\n\r\nhello",
    ),
    (
        "a negative Content-Length",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ),
    (
        "a signed Content-Length",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello",
    ),
    (
        "a hexadecimal Content-Length",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x5\r\n\r\nhello",
    ),
    (
        "an empty Content-Length",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length:\r\n\r\n",
    ),
    (
        "a Content-Length beyond 64 bits",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551616\r\n\r\n",
    ),
    (
        "an unknown transfer coding",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
    ),
    (
        "chunked that is not last",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked twice",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked in two fields",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked with a vertical tab",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "identity",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n",
    ),
    (
        "chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
];
