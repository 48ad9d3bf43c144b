"""The checks of an application that receives uploads, as hooks of s3-sign-srv over HTTP (docs/webhooks.md).

Its table has the files that are expected. A file is uploaded once; deleting it makes it expected again.

    export P3S3F_HOOKS_SECRET=whsec_$(openssl rand -base64 32)
    export APP_DATABASE=app.db APP_SECRET=$(openssl rand -hex 32)
    flask --app app run --port 8000

Then start the server with the same P3S3F_HOOKS_SECRET and P3S3F_HOOKS_URL=http://127.0.0.1:8000/hooks.
"""
import base64
import hashlib
import hmac
import os
import sqlite3
import time

from flask import Flask, abort, request, session

app = Flask(__name__)
app.secret_key = os.environ["APP_SECRET"]
secrets = [base64.b64decode(s.removeprefix("whsec_")) for s in os.environ["P3S3F_HOOKS_SECRET"].split(",")]


def database():
    """Each change is a statement of its own; timeout waits for those of other requests."""
    return sqlite3.connect(os.environ["APP_DATABASE"], timeout=5, isolation_level=None)


with database() as db:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("""CREATE TABLE IF NOT EXISTS expected (
        dataset TEXT NOT NULL, name TEXT NOT NULL, s3key TEXT UNIQUE, etag TEXT, PRIMARY KEY (dataset, name))""")


def allow(**more):
    return {"allow": True, **more}


def deny(message, **more):
    return {"allow": False, "message": message, **more}


def identify(data):
    """Who is calling? The request has the browser's cookies, so Flask's session is that of the browser."""
    if "user" not in session:
        return deny("Please log in.", login_required=True)
    return allow(owner="user/" + session["user"], cache_seconds=10)


def challenge_is_good(data):
    """Is the file expected? The first request of an upload has its name, and reserves it for the upload's key."""
    if data["operation"] in ("AbortMultipartUpload", "ListParts"):
        return allow()
    if "metadata" in data:
        changed = database().execute(
            "UPDATE expected SET s3key = ? WHERE dataset = ? AND name = ? AND etag IS NULL",
            (data["key"], data["metadata"].get("dataset"), data["metadata"].get("qqfilename"))).rowcount
        return allow() if changed else deny("This file is not expected, or it is there already; check the data set.")
    row = database().execute("SELECT 1 FROM expected WHERE s3key = ?", (data["key"],)).fetchone()
    return allow(cache_seconds=10) if row else deny("Another upload of this file has taken over.")


def s3_success(data):
    """Mark the file as complete. The browser may repeat its report, so only the first one changes a row."""
    db = database()
    changed = db.execute("UPDATE expected SET etag = ? WHERE s3key = ? AND etag IS NULL",
                         (data["etag"], data["key"])).rowcount
    if changed:
        app.logger.info("start what comes next for %s", data["key"])
    elif not db.execute("SELECT 1 FROM expected WHERE s3key = ?", (data["key"],)).fetchone():
        return deny("Another upload of this file has taken over.", delete_object=True)
    return allow(reply={"dataset": data.get("metadata", {}).get("dataset")})


def s3_delete(data):
    """May the object be deleted? s3_deleted learns when it is."""
    return allow()


def s3_deleted(data):
    database().execute("UPDATE expected SET s3key = NULL, etag = NULL WHERE s3key = ?", (data["key"],))
    return allow()


hooks = {"identify": identify, "challenge": challenge_is_good, "success": s3_success, "delete": s3_delete,
         "deleted": s3_deleted, "list": lambda data: allow()}


@app.post("/hooks")
def hook():
    verify(request.headers, request.get_data())
    message = request.get_json()
    return hooks[message["type"]](message["data"])


def verify(headers, body):
    """Accept only messages that s3-sign-srv has signed in the last 5 minutes."""
    msg_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        abort(401)
    signed = f"{msg_id}.{timestamp}.".encode() + body
    received = headers.get("webhook-signature", "").split()
    valid = ["v1," + base64.b64encode(hmac.digest(s, signed, hashlib.sha256)).decode() for s in secrets]
    if not any(hmac.compare_digest(a.encode(), b.encode()) for a in received for b in valid):
        abort(401)


@app.post("/login")
def login():
    """Stands for the login of your application: it believes everybody."""
    session["user"] = request.form["user"]
    return "You are logged in as " + session["user"] + ". Now open the upload page."


@app.get("/login")
def login_form():
    return '<form method="post"><input name="user"><button>Log in</button></form>'
