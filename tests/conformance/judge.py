"""A loopback server that judges signatures with the vendors' own signing code.

It takes the place of both clouds: it records each request as it came, has the vendor's SDK sign the same
request again with the secret that belongs to the key, and answers with an empty list if the two agree and
with the cloud's own error if they do not. It also plays STS and IAM, which give out temporary credentials.
It does no cryptography of its own beyond hashing a body, so it cannot share a mistake with scanq.
"""

import hashlib
import json
import re
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Optional
from urllib.parse import parse_qsl, urlsplit

from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from vendors import Key

# The tokens hold what real ones hold (base64 and then some), which a careless encoder would break.
ALIBABA = Key("LTAIjudgeAccessKey01", "judge-secret/with+signs=")
ALIBABA_STS = Key("STS.judgeAccessKey02", "judge-sts-secret", "CAISjudge+token/with==signs~and*stars")
HUAWEI = Key("JUDGEHUAWEIKEY000001", "judgeHuaweiSecret/with+signs=")
HUAWEI_TEMPORARY = Key("JUDGEHUAWEIKEY000002", "judgeHuaweiTemporarySecret", "ggpjjudge/token+with==signs~")
# IAM tokens are long: the reference allows 32,768 characters.
X_AUTH_TOKEN = "MIIjudge+IAM/token-" + "0123456789abcdef" * 1024 + "=="
PROJECT_ID = "2b31ed520fake00judge00project00f"
# What an identity provider issues, and what a person types: all that AssumeRoleWithOIDC and IAM ask for.
OIDC_TOKEN = "eyJqdWRnZSI6.eyJhdWQiOiJzdHMi-_.MIIjudge+oidc/token~=="
USER = {"name": "judge user", "password": 'a+b&c%20"d\\e é 密码', "domain": {"name": "hw_judge+*"}}

KEYS = {key.id: key for key in (ALIBABA, ALIBABA_STS, HUAWEI, HUAWEI_TEMPORARY)}

# An RPC request has its protocol's own parameters between the operation's; ACS3 has headers for them.
RPC_COMMON = {
    "AccessKeyId", "Action", "Format", "SecurityToken", "Signature", "SignatureMethod",
    "SignatureNonce", "SignatureVersion", "Timestamp", "Version",
}  # fmt: skip
CLOCK_TOLERANCE = timedelta(minutes=15)

_PAGE = {"CurrentPage": 1, "PageSize": 20, "TotalCount": 0}
ALIBABA_ANSWERS = {
    "DescribeOnceTaskLeafRecordPage": {"PageInfo": {**_PAGE, "Count": 0}, "OnceTasks": []},
    "DescribeImageFixTask": {"PageInfo": {**_PAGE, "Count": 0}, "BuildTasks": []},
    "ListAgentlessTask": {"PageInfo": _PAGE, "List": []},
    "GetOnceTaskResultInfo": {
        "CollectTime": 1671184531000, "TotalCount": 1, "TaskId": 0, "FinishCount": 1,
        "TaskInfo": {"Status": "SUCCESS"},
    },
}  # fmt: skip
STS_ACTIONS = {"AssumeRole", "AssumeRoleWithOIDC"}


class Refused(Exception):
    """A request that the cloud would not answer; the text says why."""


class UnknownKey(Refused):
    """Signed with an access key that does not exist."""


def demand(fact, reason):
    if not fact:
        raise Refused(reason)


@dataclass
class Request:
    """One request as it came over the wire, and what the judge made of it."""

    method: str
    target: str
    headers: list
    body: bytes
    scheme: str = ""  # "acs3", "rpc", "oidc", "aksk", "token" or "password"
    key: Optional[Key] = None  # the one that it is signed with
    refusal: Optional[str] = None

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def query(self):
        raw = urlsplit(self.target).query
        return parse_qsl(raw, keep_blank_values=True, strict_parsing=bool(raw), errors="strict")

    @property
    def form(self):
        is_form = (self.header("content-type") or "").startswith("application/x-www-form-urlencoded")
        return parse_qsl(self.body.decode(), keep_blank_values=True, errors="strict") if is_form else []

    @property
    def action(self):
        return self.header("x-acs-action") or dict(self.query + self.form).get("Action")

    @property
    def version(self):
        return self.header("x-acs-version") or dict(self.query + self.form).get("Version")

    @property
    def parameters(self):
        """What is asked for, without what the signature adds."""
        return {name: value for name, value in self.query + self.form if name not in RPC_COMMON}


class Judge:
    """`with Judge() as judge:` serves on `judge.url` and keeps what it saw in `judge.seen`."""

    def __enter__(self):
        self.seen = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.judge = self
        self.address = "127.0.0.1:%d" % self._server.server_port
        self.url = "http://" + self.address
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request):
        """Judges a request; returns the status, the document and the headers to answer with."""
        self.seen.append(request)
        is_huawei = request.path.startswith(("/v3/", "/v5/"))
        try:
            names = [name.lower() for name, _ in request.headers]
            demand(len(names) == len(set(names)), "a header is sent twice")
            # A signature over another host's name is a signature for another host.
            demand(request.header("host") == self.address, "Host is not the address that was called")
            if is_huawei:
                return self._answer_huawei(request)
            demand(request.path == "/", "an RPC-style API has no path")
            if request.action == "AssumeRoleWithOIDC":
                _judge_oidc(request)
            elif request.header("authorization"):
                _judge_acs3(request)
            else:
                _judge_rpc(request)
            if request.action in STS_ACTIONS:
                return 200, _assumed(request), {}
            demand(request.action in ALIBABA_ANSWERS, "no such action: %s" % request.action)
            return 200, {"RequestId": "JUDGE-0000", **ALIBABA_ANSWERS[request.action]}, {}
        except (Refused, ValueError, KeyError) as error:
            request.refusal = "%s: %s" % (type(error).__name__, error)
            if request.scheme == "password":
                message = "The username or password is wrong."
                return 401, {"error": {"code": 401, "message": message, "title": "Unauthorized"}}, {}
            if is_huawei:
                message = "Incorrect IAM authentication information: verify aksk signature fail"
                return 401, {"error_code": "APIGW.0301", "error_msg": message}, {}
            status, code, message = (
                (404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
                if isinstance(error, UnknownKey)
                else (400, "SignatureDoesNotMatch", "Specified signature does not match our calculation.")
            )
            return status, {"Code": code, "Message": message, "RequestId": "JUDGE-0000", "HostId": self.address}, {}

    def _answer_huawei(self, request):
        if request.path == "/v3/auth/tokens":
            return 201, _sign_in(request), {"X-Subject-Token": X_AUTH_TOKEN}
        if request.path == "/v3/projects":
            demand(request.method == "GET", "KeystoneListProjects is a GET")
            self._judge_huawei(request, always=("host", "x-sdk-date"))
            name = dict(request.query)["name"]
            return 200, {"projects": [{"id": PROJECT_ID, "name": name, "enabled": True}], "links": {}}, {}
        demand(request.method == "POST", "batch-query is a POST")
        demand(request.path == "/v5/%s/common/tasks/batch-query" % PROJECT_ID, "not the path of ListTasks")
        demand((request.header("content-type") or "").startswith("application/json"), "the body is not called JSON")
        self._judge_huawei(request, always=("host", "x-sdk-date", "content-type"))
        return 200, {"total_num": 0, "data_list": []}, {}

    def _judge_huawei(self, request, always):
        if request.header("x-auth-token"):
            request.scheme = "token"
            demand(not request.header("authorization"), "a token and a signature: one of them per request")
            demand(request.header("x-auth-token") == X_AUTH_TOKEN, "another token")
            return
        request.scheme = "aksk"
        form = r"SDK-HMAC-SHA256 Access=(\w+), SignedHeaders=([^,]+), Signature=[0-9a-f]{64}"
        request.key, signed = _read_authorization(form, request)
        _demand_signed(request, signed, always, r"x-project-id|x-security-token")
        _demand_clock(request.header("x-sdk-date"), "%Y%m%dT%H%M%SZ")
        demand(request.header("x-project-id") in (None, PROJECT_ID), "X-Project-Id is not the project of the path")
        demand(request.header("x-security-token") == request.key.token, "not the security token of this key")
        # When it is present, the signer takes its word for the body's hash.
        declared = request.header("x-sdk-content-sha256")
        demand(declared in (None, hashlib.sha256(request.body).hexdigest()), "not the hash of the body")

        vendors = SdkRequest(
            method=request.method,
            host=self.address,
            resource_path=request.path,
            query_params=request.query,
            header_params={name: request.header(name) for name in signed},
            body=request.body,
        )
        Signer(BasicCredentials(request.key.id, request.key.secret)).sign(vendors)
        demand(vendors.header_params["Authorization"] == request.header("authorization"), "the signature differs")
        # The SDK sends the canonical query itself; whether the gateway would decode another spelling of it
        # (a space as "+") the same way is documented nowhere, so nothing else counts as correct.
        demand(vendors.uri == request.target, "the query is not spelled as it is signed")


def _demand_version(request):
    wanted = "2015-04-01" if request.action in STS_ACTIONS else "2018-12-03"
    demand(request.version == wanted, "another API version")


def _judge_acs3(request):
    request.scheme = "acs3"
    # No space after the commas here, one after each comma at Huawei's: comparing whole headers checks that too.
    form = r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=[0-9a-f]{64}"
    request.key, signed = _read_authorization(form, request)
    key = request.key
    needed = ("action", "content-sha256", "date", "signature-nonce", "version")
    _demand_signed(request, signed, ["host", *("x-acs-" + name for name in needed)], r"x-acs-.*|content-type")
    _demand_clock(request.header("x-acs-date"), "%Y-%m-%dT%H:%M:%SZ")
    _demand_version(request)
    demand(request.header("x-acs-security-token") == key.token, "not the security token of this key")
    payload = hashlib.sha256(request.body).hexdigest()
    demand(request.header("x-acs-content-sha256") == payload, "not the hash of the body")
    query = dict(request.query)
    demand(len(query) == len(request.query), "a parameter is sent twice")
    demand(not RPC_COMMON & query.keys(), "parameters of the RPC signature beside an ACS3 signature")

    vendors = DaraRequest()
    vendors.method, vendors.pathname, vendors.query = request.method, request.path, query
    # Only the headers that were signed: the SDK signs every header it is given.
    vendors.headers = {name: request.header(name) for name in signed}
    expected = Utils.get_authorization(vendors, "ACS3-HMAC-SHA256", payload, key.id, key.secret)
    demand(expected == request.header("authorization"), "the signature differs")


def _judge_rpc(request):
    request.scheme = "rpc"
    pairs = request.query + request.form
    signed = dict(pairs)
    demand(len(signed) == len(pairs), "a parameter is sent twice")
    missing = RPC_COMMON - {"SecurityToken"} - signed.keys()
    demand(not missing, "common parameters are missing: %s" % sorted(missing))
    request.key = key = _find_key(signed["AccessKeyId"])
    demand(signed["SignatureMethod"] == "HMAC-SHA1", "another signature method")
    demand(signed["SignatureVersion"] == "1.0", "another signature version")
    _demand_version(request)
    # The SDK writes "json", the documentation "JSON"; anything else would be answered in XML.
    demand(signed["Format"].lower() == "json", "another format")
    demand(signed.get("SecurityToken") == key.token, "not the security token of this key")
    _demand_clock(signed["Timestamp"], "%Y-%m-%dT%H:%M:%SZ")
    signature = signed.pop("Signature")
    demand(signature == Utils.get_rpcsignature(signed, request.method, key.secret), "the signature differs")


def _judge_oidc(request):
    """Whoever has the token may ask: nothing of this is signed, and the method is free."""
    request.scheme = "oidc"
    pairs = request.query + request.form
    sent = dict(pairs)
    demand(len(sent) == len(pairs), "a parameter is sent twice")
    of_keys = sent.keys() & {"AccessKeyId", "SecurityToken", *(name for name in sent if name.startswith("Signature"))}
    demand(of_keys <= {"SignatureNonce"}, "parameters of a key: %s" % sorted(of_keys))
    demand(not request.header("authorization"), "a signature beside the token")
    _demand_version(request)
    demand(sent["Format"].lower() == "json", "another format")
    _demand_clock(sent["Timestamp"], "%Y-%m-%dT%H:%M:%SZ")
    demand(sent["OIDCToken"] == OIDC_TOKEN, "another token")
    demand(sent["OIDCProviderArn"], "the provider is not named")


def _assumed(request):
    """STS's answer: temporary keys that last for as long as was asked."""
    asked = request.parameters
    role, session = asked["RoleArn"], asked["RoleSessionName"]
    demand(re.fullmatch(r"[\w.@-]{2,64}", session, re.ASCII), "not the name of a session: %s" % session)
    ends = datetime.now(timezone.utc) + timedelta(seconds=int(asked["DurationSeconds"]))
    return {
        "RequestId": "JUDGE-0000",
        "AssumedRoleUser": {"Arn": "%s/%s" % (role, session), "AssumedRoleId": "344584339364951186:" + session},
        "Credentials": {
            "AccessKeyId": ALIBABA_STS.id,
            "AccessKeySecret": ALIBABA_STS.secret,
            "SecurityToken": ALIBABA_STS.token,
            "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }


def _sign_in(request):
    """IAM's answer to a password; the token itself is in a header."""
    request.scheme = "password"
    demand(request.method == "POST", "a sign-in is a POST")
    demand((request.header("content-type") or "").startswith("application/json"), "the body is not called JSON")
    demand(not request.header("authorization") and not request.header("x-auth-token"), "signed in already")
    auth = json.loads(request.body)["auth"]
    demand(auth["identity"]["password"]["user"] == USER, "another user, or a wrong password")
    ends = datetime.now(timezone.utc) + timedelta(hours=24)
    return {
        "token": {
            "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "methods": ["password"],
            "project": {"id": PROJECT_ID, **auth["scope"]["project"]},
        }
    }


def _find_key(key_id):
    if key_id not in KEYS:
        raise UnknownKey(key_id)
    return KEYS[key_id]


def _read_authorization(form, request):
    match = re.fullmatch(form, request.header("authorization") or "")
    demand(match, "Authorization does not have its form: %s" % request.header("authorization"))
    return _find_key(match[1]), match[2].split(";")


def _demand_signed(request, signed, always, if_sent):
    """`always` lists headers that must be there and signed, `if_sent` those that must be signed if they are."""
    sent = {name.lower() for name, _ in request.headers}
    demand(set(signed) <= sent, "signed but not sent: %s" % sorted(set(signed) - sent))
    unsigned = set(always) | {name for name in sent if re.fullmatch(if_sent, name)}
    demand(unsigned <= set(signed), "not signed: %s" % sorted(unsigned - set(signed)))


def _demand_clock(text, form):
    when = datetime.strptime(text, form).replace(tzinfo=timezone.utc)
    demand(abs(datetime.now(timezone.utc) - when) < CLOCK_TOLERANCE, "too old, or from the future: %s" % text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = Request(self.command, self.path, list(self.headers.items()), body)
        status, document, headers = self.server.judge.answer(request)
        answer = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = _serve

    def log_message(self, *_):
        pass
