#!/usr/bin/env python3
"""Notes that people leave on a page: in $DATA_DIR/notes.db, served on $HOST:$PORT until SIGTERM."""
import html
import os
import signal
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote

DATABASE = os.path.join(os.environ.get("DATA_DIR", "."), "notes.db")
COLOUR = os.environ.get("NOTES_COLOUR", "teal")
# What each version of this program has changed, the oldest first. A promotion tries it on a copy of live's data.
MIGRATIONS = (
    "create table notes (id integer primary key, author text not null, text text not null)",
    "create table health (id integer primary key, asked integer not null)",
)
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Notes</title><style>body {{ font: 1.1rem system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }} h1 {{ color: {} }}</style>
<h1>Notes</h1><form method="post"><label>A note <input name="text" required autofocus></label> <button>Keep it</button></form><ul>{}</ul>
"""


def query(sql, *values):
    with closing(sqlite3.connect(DATABASE, isolation_level=None)) as db:
        # what has been answered is on the disk, also after a power cut
        db.execute("pragma synchronous = full")
        return db.execute(sql, values).fetchall()


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body="", location=None):
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body.encode())

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except sqlite3.Error as error:  # such as a full disk
            self.answer(503, html.escape(str(error)))

    def do_GET(self):
        if self.path == "/health":
            query("replace into health values (1, strftime('%s'))")
            return self.answer(200, "well")
        notes = query("select text, author from notes order by id desc")
        items = "".join(f"<li>{html.escape(text)} <small>{html.escape(author)}</small></li>" for text, author in notes)
        self.answer(200, PAGE.format(html.escape(COLOUR), items))

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        if "text" not in form:
            return self.answer(400, "A note needs some text.")
        # the gateway says who it is, and nobody else can
        author = unquote(self.headers.get("X-ChoirOS-User-Name", "somebody"))
        query("insert into notes (text, author) values (?, ?)", form["text"][0], author)
        self.answer(303, location="/")


query("pragma journal_mode = wal")
for version in range(query("pragma user_version")[0][0], len(MIGRATIONS)):
    with closing(sqlite3.connect(DATABASE, isolation_level=None)) as db:
        db.executescript(f"begin; {MIGRATIONS[version]}; pragma user_version = {version + 1}; commit")
server = ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080"))), Handler)
# who is under way gets an answer
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
