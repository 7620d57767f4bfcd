"""The judge itself on trial: fair to the vendors' own clients, and strict with anything else.

Needs no scanq. Without these tests an accepted request would prove little: a judge that accepts everything
accepts scanq too.
"""

import http.client
import json
from contextlib import nullcontext

import pytest
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_sas20181203 import models as sas
from alibabacloud_tea_openapi.exceptions import ClientException
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkException
from huaweicloudsdkhss.v5 import ListTasksRequest, ListTasksRequestBody

from judge import ALIBABA, ALIBABA_STS, HUAWEI, HUAWEI_TEMPORARY, OIDC_TOKEN, PROJECT_ID, USER, X_AUTH_TOKEN
from vendors import alibaba, ask, assume_role, assume_role_with_oidc, huawei

AWKWARD = "a b+c*d~e/f&g=h%2Bi 生产 🚀"

ALIBABA_REQUESTS = [
    sas.DescribeOnceTaskLeafRecordPageRequest(
        current_page=1, page_size=20, task_type="IMAGE_SCAN", relate_info=True,
        task_id=AWKWARD, status_list=["INIT"] * 11,
    ),
    sas.GetOnceTaskResultInfoRequest(task_id=AWKWARD, task_name="IMAGE_SCAN", task_type="IMAGE_SCAN"),
    sas.DescribeImageFixTaskRequest(current_page=1, page_size=20, start_time=1634725571000, status="2"),
    sas.ListAgentlessTaskRequest(target_name=AWKWARD, root_task=False, task_id_list=["a", AWKWARD]),
]  # fmt: skip
ROLE = {"RoleArn": "acs:ram::1:role/a", "RoleSessionName": "a.b", "DurationSeconds": "900", "ExternalId": AWKWARD}
HUAWEI_REQUEST = ListTasksRequest(
    enterprise_project_id=AWKWARD,
    limit=10,
    body=ListTasksRequestBody(task_type="cluster_scan", task_name=AWKWARD),
)

schemes = pytest.mark.parametrize("scheme", ["acs3", "rpc"])
alibaba_keys = pytest.mark.parametrize("key", [ALIBABA, ALIBABA_STS], ids=["plain", "sts"])
huawei_keys = pytest.mark.parametrize("key", [HUAWEI, HUAWEI_TEMPORARY], ids=["plain", "temporary"])


@schemes
@alibaba_keys
@pytest.mark.parametrize("request_", ALIBABA_REQUESTS, ids=lambda model: type(model).__name__)
def test_the_judge_accepts_alibabas_client(judge, scheme, key, request_):
    ask(alibaba(judge.url, key, scheme), request_)
    [seen] = judge.seen
    assert (seen.scheme, seen.refusal) == (scheme, None)


@huawei_keys
def test_the_judge_accepts_huaweis_client(judge, key):
    assert ask(huawei(judge.url, key, PROJECT_ID), HUAWEI_REQUEST).total_num == 0
    [seen] = judge.seen
    assert (seen.scheme, seen.refusal) == ("aksk", None)


@schemes
@alibaba_keys
@pytest.mark.parametrize(
    "wrong, code",
    [
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"token": "wrong"}, "SignatureDoesNotMatch"),
        ({"id": "LTAInobody"}, "InvalidAccessKeyId.NotFound"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_the_judge_refuses_alibabas_client_with_a_wrong_key(judge, scheme, key, wrong, code):
    with pytest.raises(ClientException) as refused:
        ask(alibaba(judge.url, key._replace(**wrong), scheme), ALIBABA_REQUESTS[0])
    assert refused.value.code == code


@huawei_keys
@pytest.mark.parametrize("part", ["id", "secret", "token"])
def test_the_judge_refuses_huaweis_client_with_a_wrong_key(judge, key, part):
    with pytest.raises(ClientRequestException) as refused:
        ask(huawei(judge.url, key._replace(**{part: "wrong"}), PROJECT_ID), HUAWEI_REQUEST)
    assert (refused.value.status_code, refused.value.error_code) == (401, "APIGW.0301")


@schemes
@alibaba_keys
def test_the_judge_lends_a_role_to_alibabas_client(judge, scheme, key):
    assert assume_role(judge.url, key, scheme, **ROLE) == ALIBABA_STS
    [seen] = judge.seen
    assert (seen.scheme, seen.key, seen.parameters) == (scheme, key, ROLE)
    for wrong in [{"secret": "wrong"}, {"token": "wrong"}]:
        with pytest.raises(ClientException):
            assume_role(judge.url, key._replace(**wrong), scheme, **ROLE)
    with pytest.raises(ClientException):
        assume_role(judge.url, key, scheme, **{**ROLE, "RoleSessionName": "a b"})


@pytest.mark.parametrize("token", [OIDC_TOKEN, OIDC_TOKEN + "\n", OIDC_TOKEN[1:]], ids=["right", "untidy", "wrong"])
def test_the_judge_compares_the_token_of_an_identity_provider(judge, monkeypatch, tmp_path, token):
    file = tmp_path / "token"
    file.write_text(token)
    refused = nullcontext() if token == OIDC_TOKEN else pytest.raises(CredentialException)
    with refused:
        given = assume_role_with_oidc(
            judge.url, monkeypatch, role_arn="r", oidc_provider_arn="p", role_session_name="s1",
            oidc_token_file_path=str(file),
        )  # fmt: skip
        assert given == ALIBABA_STS


@huawei_keys
def test_the_judge_names_the_project_of_a_region_to_huaweis_client(judge, key):
    assert ask(huawei(judge.url, key, region="cn-north-4"), HUAWEI_REQUEST).total_num == 0
    assert [(seen.scheme, seen.key, seen.refusal) for seen in judge.seen] == [("aksk", key, None)] * 2
    with pytest.raises(SdkException):
        huawei(judge.url, key._replace(secret="wrong"), region="cn-north-4")


def send(judge, method, target, headers, body):
    connection = http.client.HTTPConnection(judge.address)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def recorded(judge, scheme):
    """What a vendor's client sent just now, as the arguments of send()."""
    if scheme == "aksk-projects":
        huawei(judge.url, HUAWEI_TEMPORARY, region="cn-north-4")
    elif scheme == "rpc-role":
        assume_role(judge.url, ALIBABA_STS, "rpc", **ROLE)
    elif scheme == "aksk":
        ask(huawei(judge.url, HUAWEI_TEMPORARY, PROJECT_ID), HUAWEI_REQUEST)
    else:
        ask(alibaba(judge.url, ALIBABA_STS, scheme), ALIBABA_REQUESTS[0])
    seen = judge.seen[-1]
    return dict(
        method=seen.method,
        target=seen.target,
        headers={name.lower(): value for name, value in seen.headers},
        body=seen.body,
    )


@pytest.mark.parametrize("scheme", ["acs3", "rpc", "aksk", "rpc-role", "aksk-projects"])
def test_a_vendors_request_sent_again_unchanged_is_accepted(judge, scheme):
    # So that the refusals below come from what each of them changes, and not from how they are sent.
    assert send(judge, **recorded(judge, scheme)) == 200


def in_header(name, old, new):
    def change(sent):
        assert old in sent["headers"][name]
        sent["headers"][name] = sent["headers"][name].replace(old, new)

    return change


def in_target(old, new):
    def change(sent):
        assert old in sent["target"]
        sent["target"] = sent["target"].replace(old, new)

    return change


def without_header(name):
    return lambda sent: sent["headers"].pop(name)


def body_of(content):
    return lambda sent: sent.update(body=content, headers={**sent["headers"], "content-length": str(len(content))})


CHANGES = {
    "acs3": {
        "a parameter": in_target("IMAGE_SCAN", "IMAGE_SCAM"),
        "a parameter more": in_target("TaskType=", "Source=x&TaskType="),
        "the method": lambda sent: sent.update(method="GET"),
        "the host": in_header("host", "127.0.0.1", "localhost"),
        "a signed header": in_header("x-acs-action", "DescribeOnceTaskLeafRecordPage", "ListAgentlessTask"),
        "no token": without_header("x-acs-security-token"),
        "an unsigned token": in_header("authorization", "x-acs-security-token;", ""),
        "an unsigned host": in_header("authorization", "host;", ""),
        "spaces after the commas": in_header("authorization", ",", ", "),
        "a body": body_of(b"x=1"),
        "the time": in_header("x-acs-date", "20", "19"),
    },
    "rpc": {
        "a parameter": in_target("IMAGE_SCAN", "IMAGE_SCAM"),
        "a parameter more": in_target("TaskType=", "Source=x&TaskType="),
        "the method": lambda sent: sent.update(method="GET"),
        "the host": in_header("host", "127.0.0.1", "localhost"),
        "no token": in_target("SecurityToken=", "SecurityTokem="),
        "the nonce": in_target("SignatureNonce=", "SignatureNonce=0"),
        "another method of signing": in_target("HMAC-SHA1", "HMAC-SHA256"),
    },
    "aksk": {
        "a parameter": in_target("limit=10", "limit=11"),
        "a space as a plus": in_target("%20", "+"),
        "the project": in_target("project", "projekt"),
        "the body": body_of(b'{"task_type": "iac_scan"}'),
        "the host": in_header("host", "127.0.0.1", "localhost"),
        "no token": without_header("x-security-token"),
        "an unsigned token": in_header("authorization", ";x-security-token", ""),
        "no spaces after the commas": in_header("authorization", ", ", ","),
        "the time": in_header("x-sdk-date", "20", "19"),
        "a token beside the signature": lambda sent: sent["headers"].update({"x-auth-token": X_AUTH_TOKEN}),
    },
    "rpc-role": {
        "a parameter": in_target("role%2Fa", "role%2Fb"),
        "no external id": in_target("ExternalId=", "Policy="),
        "the version": in_target("2015-04-01", "2018-12-03"),
        "the operation": in_target("Action=AssumeRole", "Action=AssumeRoleWithOIDC"),
    },
    "aksk-projects": {
        "the region": in_target("cn-north-4", "cn-north-1"),
        "the method": lambda sent: sent.update(method="POST"),
        "no token": without_header("x-security-token"),
        "an unsigned token": in_header("authorization", ";x-security-token", ""),
    },
}


@pytest.mark.parametrize(
    "scheme, change",
    [
        pytest.param(scheme, change, id=f"{scheme}-{name}")
        for scheme, changes in CHANGES.items()
        for name, change in changes.items()
    ],
)
def test_a_vendors_request_changed_on_its_way_is_refused(judge, scheme, change):
    sent = recorded(judge, scheme)
    change(sent)
    assert send(judge, **sent) in (400, 401)


@pytest.mark.parametrize("token, status", [(X_AUTH_TOKEN, 200), (X_AUTH_TOKEN[:-1], 401), ("", 401)])
def test_the_judge_compares_the_x_auth_token(judge, token, status):
    # Sent by hand: Huawei's SDK has no token mode.
    body = json.dumps({"task_type": "iac_scan"}).encode()
    headers = {"host": judge.address, "content-type": "application/json", "content-length": str(len(body))}
    target = f"/v5/{PROJECT_ID}/common/tasks/batch-query"
    assert send(judge, "POST", target, {**headers, "x-auth-token": token}, body) == status


def test_the_judge_compares_the_password(judge):
    # By hand as well: the SDK has no passwords.
    def sign_in(**wrong):
        auth = {
            "identity": {"methods": ["password"], "password": {"user": {**USER, **wrong}}},
            "scope": {"project": {"name": "cn-north-4"}},
        }
        body = json.dumps({"auth": auth}).encode()
        headers = {"host": judge.address, "content-type": "application/json", "content-length": str(len(body))}
        return send(judge, "POST", "/v3/auth/tokens", headers, body)

    assert sign_in() == 201
    assert [sign_in(name="x"), sign_in(password="x"), sign_in(domain={"name": "x"})] == [401] * 3
