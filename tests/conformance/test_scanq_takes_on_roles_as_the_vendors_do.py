"""How scanq comes by temporary credentials: roles at Alibaba's STS, passwords and projects at Huawei's IAM.

The judge plays STS and IAM beside the services themselves. What it gives out must then sign the question
that scanq was run for; and where a vendor's client can sign in the same way, it must send the same thing.
"""

import json

import pytest
from alibabacloud_sas20181203 import models as sas
from alibabacloud_tea_openapi.exceptions import ClientException
from huaweicloudsdkhss.v5 import ListTasksRequest, ListTasksRequestBody

from judge import ALIBABA, ALIBABA_STS, HUAWEI, HUAWEI_TEMPORARY, OIDC_TOKEN, PROJECT_ID, USER, X_AUTH_TOKEN
from vendors import Key, alibaba, ask, assume_role, assume_role_with_oidc, huawei

schemes = pytest.mark.parametrize("scheme", ["acs3", "rpc"])

ROLE = "acs:ram::1234567890123456:role/team/scanq-read.only_1"
ASKED = {
    "RoleArn": ROLE,
    # All that a session's name may hold beside letters and digits.
    "RoleSessionName": "scanq.ci-1_a@example.com",
    "ExternalId": "a b+c*d~e=f&g%20h/i:j,k 外部编号 🚀",
    "DurationSeconds": "1800",
    "Policy": '{"Version": "1", "Statement": [ {"Effect": "Allow", "Action": ["sas:List*"], "Resource": "*+~"} ]}',
}
OIDC_PROVIDER = "acs:ram::1234567890123456:oidc-provider/ci+runners"


@pytest.fixture
def environment(judge, tmp_path):
    """A home of one's own, so that a second run finds what the first one kept; no keys in the environment."""
    return {
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "ALIBABA_CLOUD_STS_ENDPOINT": judge.url,
        "SCANQ_ALIYUN_ENDPOINT": judge.url,
        "SCANQ_HUAWEI_ENDPOINT": judge.url,
        "HUAWEICLOUD_SDK_REGION": "cn-north-4",
    }


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def configure_role(home, key=ALIBABA):
    """What `aliyun configure --mode RamRoleArn` writes."""
    profile = {
        "name": "audit",
        "mode": "RamRoleArn",
        "access_key_id": key.id,
        "access_key_secret": key.secret,
        "sts_token": "",
        "ram_role_arn": ASKED["RoleArn"],
        "ram_session_name": ASKED["RoleSessionName"],
        "external_id": ASKED["ExternalId"],
        "expired_seconds": int(ASKED["DurationSeconds"]),
        "policy": ASKED["Policy"],
        "region_id": "cn-shanghai",
        "output_format": "json",
        "language": "en",
    }
    document = {"current": "audit", "profiles": [profile], "meta_path": ""}
    write(home / ".aliyun" / "config.json", json.dumps(document, ensure_ascii=False, indent="\t"))


def run(scanq, judge, env, *arguments):
    """Runs scanq; gives the requests that it sent, all of which the judge must have accepted."""
    before = len(judge.seen)
    result = scanq(*arguments, "-o", "json", env=env)
    sent = judge.seen[before:]
    assert result.code == 0, (result.stderr, [seen.refusal for seen in sent])
    assert [seen.refusal for seen in sent] == [None] * len(sent)
    return sent


AGENTLESS = ("aliyun", "agentless-tasks")


@schemes
def test_scanq_takes_on_a_role_as_alibabas_client_does(scanq, judge, environment, tmp_path, scheme):
    configure_role(tmp_path)
    ours, question = run(scanq, judge, environment, *AGENTLESS, "--signature", scheme)
    assert (ours.scheme, ours.action, ours.version, ours.key) == ("rpc", "AssumeRole", "2015-04-01", ALIBABA)
    assert ours.parameters == ASKED
    assert (question.scheme, question.action, question.key) == (scheme, "ListAgentlessTask", ALIBABA_STS)

    assert assume_role(judge.url, ALIBABA, scheme, **ASKED) == ALIBABA_STS
    theirs = judge.seen[-1]
    assert (theirs.scheme, theirs.refusal) == (scheme, None)
    assert (theirs.method, theirs.parameters) == (ours.method, ours.parameters)


def test_scanq_takes_on_a_role_once_for_many_runs(scanq, judge, environment, tmp_path):
    configure_role(tmp_path)
    both, question = ["AssumeRole", "ListAgentlessTask"], ["ListAgentlessTask"]
    for options, actions in [([], both), ([], question), (["--no-cache"], both), ([], question)]:
        sent = run(scanq, judge, environment, *AGENTLESS, *options)
        assert [seen.action for seen in sent] == actions
        assert sent[-1].key == ALIBABA_STS


@pytest.mark.parametrize(
    "wrong, code",
    [({"secret": "wrong"}, "SignatureDoesNotMatch"), ({"id": "LTAInobody"}, "InvalidAccessKeyId.NotFound")],
    ids=["secret", "id"],
)
def test_scanq_gives_up_at_once_on_a_key_that_sts_refuses(scanq, judge, environment, tmp_path, wrong, code):
    configure_role(tmp_path, ALIBABA._replace(**wrong))
    result = scanq(*AGENTLESS, env=environment)
    assert result.code == 4, result.stderr
    assert code in result.stderr
    assert [seen.action for seen in judge.seen] == ["AssumeRole"]


@schemes
def test_scanq_takes_on_a_role_with_a_token_in_the_body_only(
    scanq, judge, environment, tmp_path, monkeypatch, scheme
):
    identity = {
        "ALIBABA_CLOUD_ROLE_ARN": ROLE,
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": OIDC_PROVIDER,
        "ALIBABA_CLOUD_ROLE_SESSION_NAME": ASKED["RoleSessionName"],
        # As `echo` writes it.
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": write(tmp_path / "token", f" {OIDC_TOKEN}\r\n"),
    }
    ours, question = run(scanq, judge, {**environment, **identity}, *AGENTLESS, "--signature", scheme)
    assert (ours.scheme, ours.method, ours.version) == ("oidc", "POST", "2015-04-01")
    # Addresses and headers end up in logs.
    assert ours.target == "/"
    assert not any(OIDC_TOKEN in value for _, value in ours.headers)
    assert ours.header("content-type").startswith("application/x-www-form-urlencoded")
    assert dict(ours.form)["OIDCToken"] == OIDC_TOKEN
    assert (question.scheme, question.action, question.key) == (scheme, "ListAgentlessTask", ALIBABA_STS)

    given = assume_role_with_oidc(
        judge.url, monkeypatch, role_arn=ROLE, oidc_provider_arn=OIDC_PROVIDER,
        role_session_name=ASKED["RoleSessionName"], oidc_token_file_path=write(tmp_path / "untidied", OIDC_TOKEN),
    )  # fmt: skip
    assert given == ALIBABA_STS
    theirs = judge.seen[-1]
    # The library has the token in the address, and does not tidy it; beside that they ask for the same.
    assert (theirs.scheme, theirs.refusal) == ("oidc", None)
    assert theirs.parameters == ours.parameters


def test_scanq_gives_up_at_once_on_a_token_that_sts_refuses(scanq, judge, environment, tmp_path):
    identity = {
        "ALIBABA_CLOUD_ROLE_ARN": ROLE,
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": OIDC_PROVIDER,
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": write(tmp_path / "token", "another-token"),
    }
    result = scanq(*AGENTLESS, env={**environment, **identity})
    assert result.code == 4, result.stderr
    assert "another-token" not in result.stderr
    assert [seen.action for seen in judge.seen] == ["AssumeRoleWithOIDC"]


# And the other way round: the sandbox, asked by Alibaba's client.


def sandbox_role(sandbox, scheme, role):
    key = Key(sandbox["ALIBABA_CLOUD_ACCESS_KEY_ID"], sandbox["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
    asked = {**ASKED, "RoleArn": f"acs:ram::1234567890123456:role/{role}"}
    return assume_role(sandbox["SCANQ_ALIYUN_ENDPOINT"], key, scheme, **asked)


@schemes
def test_the_sandbox_lends_a_role_to_alibabas_client(sandbox, scheme):
    given = sandbox_role(sandbox, scheme, "scanq")
    assert given.id != sandbox["ALIBABA_CLOUD_ACCESS_KEY_ID"] and given.token
    client = alibaba(sandbox["SCANQ_ALIYUN_ENDPOINT"], given, scheme)
    assert ask(client, sas.ListAgentlessTaskRequest()).body.page_info.total_count > 0


@schemes
def test_the_sandbox_does_not_know_other_roles(sandbox, scheme):
    with pytest.raises(ClientException) as refused:
        sandbox_role(sandbox, scheme, "scanq2")
    assert refused.value.code == "EntityNotExist.Role"


# Huawei: IAM.

TASKS = ("huawei", "tasks", "--task-type", "iac_scan", "--page-size", "10")
SAME = ListTasksRequest(offset=0, limit=10, body=ListTasksRequestBody(task_type="iac_scan"))
# A project below a region's own is called after the region.
PROJECT_NAME = "cn-north-4_生产+a b"


@pytest.fixture
def password(environment, judge):
    return {
        **environment,
        "OS_AUTH_URL": judge.url + "/v3",
        "OS_USERNAME": USER["name"],
        "OS_PASSWORD": USER["password"],
        "OS_USER_DOMAIN_NAME": USER["domain"]["name"],
        "OS_PROJECT_NAME": PROJECT_NAME,
    }


@pytest.mark.parametrize(
    "more, project",
    [
        ({}, {"name": PROJECT_NAME}),
        ({"OS_PROJECT_ID": PROJECT_ID}, {"id": PROJECT_ID}),
    ],
    ids=["project-name", "project-id"],
)
def test_scanq_signs_in_with_a_password_as_documented(scanq, judge, password, more, project):
    ours, question = run(scanq, judge, {**password, **more}, *TASKS)
    assert (ours.scheme, ours.method, ours.target) == ("password", "POST", "/v3/auth/tokens?nocatalog=true")
    assert json.loads(ours.body) == {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": USER}},
            "scope": {"project": project},
        }
    }
    # The project of the path, which the judge compares, came with the token where it was not set.
    assert (question.scheme, question.header("x-auth-token")) == ("token", X_AUTH_TOKEN)

    sent = run(scanq, judge, {**password, **more}, *TASKS)
    assert [seen.scheme for seen in sent] == ["token"]
    sent = run(scanq, judge, {**password, **more}, *TASKS, "--no-cache")
    assert [seen.scheme for seen in sent] == ["password", "token"]


def test_scanq_tries_a_wrong_password_once(scanq, judge, password):
    result = scanq(*TASKS, env={**password, "OS_PASSWORD": "wrong-password"})
    assert result.code == 4, result.stderr
    assert "wrong-password" not in result.stderr
    assert [seen.scheme for seen in judge.seen] == ["password"]


@pytest.mark.parametrize("key", [HUAWEI, HUAWEI_TEMPORARY], ids=["plain", "temporary"])
def test_scanq_looks_up_the_project_as_huaweis_client_does(scanq, judge, environment, key):
    keys = {
        "SCANQ_HUAWEI_IAM_ENDPOINT": judge.url,
        "HUAWEICLOUD_SDK_AK": key.id,
        "HUAWEICLOUD_SDK_SK": key.secret,
        **({"HUAWEICLOUD_SDK_SECURITY_TOKEN": key.token} if key.token else {}),
    }
    ours = run(scanq, judge, {**environment, **keys}, *TASKS)
    ask(huawei(judge.url, key, region="cn-north-4"), SAME)
    theirs = judge.seen[len(ours) :]
    # The judge refuses any other project than the one that it gave.
    for looked_up, asked in (ours, theirs):
        assert (looked_up.method, looked_up.target) == ("GET", "/v3/projects?name=cn-north-4")
        assert (looked_up.scheme, looked_up.key, looked_up.body) == ("aksk", key, b"")
        assert (asked.scheme, asked.key, asked.refusal) == ("aksk", key, None)


def test_scanq_looks_up_the_project_of_a_token(scanq, judge, environment):
    # Not asked twice: Huawei's SDK has no token mode.
    token = {"SCANQ_HUAWEI_IAM_ENDPOINT": judge.url, "HUAWEICLOUD_SDK_TOKEN": X_AUTH_TOKEN}
    looked_up, asked = run(scanq, judge, {**environment, **token}, *TASKS)
    assert looked_up.target == "/v3/projects?name=cn-north-4"
    assert [looked_up.scheme, asked.scheme] == ["token", "token"]


def test_scanq_gives_up_at_once_on_a_key_that_iam_refuses(scanq, judge, environment):
    keys = {
        "SCANQ_HUAWEI_IAM_ENDPOINT": judge.url,
        "HUAWEICLOUD_SDK_AK": HUAWEI.id,
        "HUAWEICLOUD_SDK_SK": "wrong",
    }
    result = scanq(*TASKS, env={**environment, **keys})
    assert result.code == 4, result.stderr
    assert "APIGW.0301" in result.stderr
    assert [seen.path for seen in judge.seen] == ["/v3/projects"]
