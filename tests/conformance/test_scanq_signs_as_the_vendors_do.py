"""scanq's own requests, before a judge that signs them again with the vendors' code.

Each question is asked twice, by scanq and by the vendor's own client; the judge must accept both, and both
must have asked for the same thing. The values are the ones that encoders get wrong.
"""

import json

import pytest
from alibabacloud_sas20181203 import models as sas
from huaweicloudsdkhss.v5 import (
    ListTasksRequest,
    ListTasksRequestBody,
    ListTasksRequestBodyClusterScanInfo,
    ListTasksRequestBodyIacScanInfo,
)

from judge import ALIBABA, ALIBABA_STS, HUAWEI, HUAWEI_TEMPORARY, PROJECT_ID, X_AUTH_TOKEN, Key
from vendors import alibaba, ask, huawei

# Everything that form encoding, RFC 3986 and JSON treat differently from each other; text that looks encoded
# already; and characters of two, three and four bytes. No comma: it would part the values of a list.
HOSTILE = "a b+c*d~e/f&g=h%i%20j%2Bk?l#m:n@o;p!q$r'(s)\"t<u>\\v|w^x`y{z}[1] é 生产环境 🚀"
SINCE, UNTIL = 1767323045000, 1767409445000
PERIOD = ["--since", str(SINCE), "--until", str(UNTIL), "--page-size", "50"]

ALIBABA_QUESTIONS = {
    "once-tasks": (
        ["once-tasks", "--task-id", HOSTILE, "--source", HOSTILE, "--status-list", "INIT,START", *PERIOD],
        sas.DescribeOnceTaskLeafRecordPageRequest(
            current_page=1, page_size=50, task_type="IMAGE_SCAN", relate_info=True, start_time=SINCE, end_time=UNTIL,
            task_id=HOSTILE, source=HOSTILE, status_list=["INIT", "START"],
        ),
    ),
    # From ten elements on the order matters: StatusList.10 is sorted before StatusList.2.
    "once-tasks with a long list": (
        ["once-tasks", "--task-type", "IMAGE_REGISTRY_PULL", "--relate-info", "false", "--page-size", "50",
         "--status-list", ",".join(f"S{n}" for n in range(1, 12))],
        sas.DescribeOnceTaskLeafRecordPageRequest(
            current_page=1, page_size=50, task_type="IMAGE_REGISTRY_PULL", relate_info=False,
            status_list=[f"S{n}" for n in range(1, 12)],
        ),
    ),
    "once-task-result": (
        ["once-task-result", "--task-id", HOSTILE, "--task-name", HOSTILE, "--task-type", "IMAGE_SCAN"],
        sas.GetOnceTaskResultInfoRequest(task_id=HOSTILE, task_name=HOSTILE, task_type="IMAGE_SCAN"),
    ),
    # This operation's only text is Status, which scanq sends as it is when it does not know it.
    "image-fix-tasks": (
        ["image-fix-tasks", "--status", HOSTILE, *PERIOD],
        sas.DescribeImageFixTaskRequest(
            current_page=1, page_size=50, status=HOSTILE, start_time=SINCE, end_time=UNTIL
        ),
    ),
    "agentless-tasks": (
        ["agentless-tasks", "--target-name", HOSTILE, "--machine-name", HOSTILE, "--uuid", HOSTILE,
         "--internet-ip", HOSTILE, "--intranet-ip", HOSTILE, "--root-task", "true", "--root-task-id", HOSTILE,
         "--task-id-list", f"id 1,{HOSTILE}", "--target-type", "1", "--status", "2", "--lang", "zh", *PERIOD],
        sas.ListAgentlessTaskRequest(
            current_page=1, page_size=50, target_name=HOSTILE, machine_name=HOSTILE, uuid=HOSTILE,
            internet_ip=HOSTILE, intranet_ip=HOSTILE, root_task=True, root_task_id=HOSTILE,
            task_id_list=["id 1", HOSTILE], target_type=1, status=2, lang="zh", start_time=SINCE, end_time=UNTIL,
        ),
    ),
    # TaskId and TaskIdList exclude each other.
    "agentless-tasks of one root": (
        ["agentless-tasks", "--task-id", HOSTILE, "--root-task", "false", "--page-size", "50"],
        sas.ListAgentlessTaskRequest(current_page=1, page_size=50, task_id=HOSTILE, root_task=False),
    ),
}  # fmt: skip

HUAWEI_QUESTIONS = {
    "cluster scans": (
        ["--task-type", "cluster_scan", "--task-id", HOSTILE, "--task-name", HOSTILE, "--trigger-type", "manual",
         "--task-status", "finished", "--sort-key", "start_time", "--sort-dir", "asc",
         "--scan-type-list", "cluster_vul,benchmark", "--enterprise-project-id", HOSTILE, *PERIOD],
        ListTasksRequest(
            offset=0, limit=50, enterprise_project_id=HOSTILE,
            body=ListTasksRequestBody(
                task_type="cluster_scan", task_id=HOSTILE, task_name=HOSTILE, trigger_type="manual",
                task_status="finished", sort_key="start_time", sort_dir="asc",
                start_create_time=SINCE, end_create_time=UNTIL,
                cluster_scan_info=ListTasksRequestBodyClusterScanInfo(scan_type_list=["cluster_vul", "benchmark"]),
            ),
        ),
    ),
    "code scans": (
        ["--task-type", "iac_scan", "--file-type", "dockerfile", "--enterprise-project-id", "all_granted_eps",
         "--page-size", "50"],
        ListTasksRequest(
            offset=0, limit=50, enterprise_project_id="all_granted_eps",
            body=ListTasksRequestBody(
                task_type="iac_scan", iac_scan_info=ListTasksRequestBodyIacScanInfo(file_type="dockerfile")
            ),
        ),
    ),
}  # fmt: skip

# What X-Auth-Token is to Huawei: a secret without an id.
TOKEN = Key("", "", X_AUTH_TOKEN)


def alibaba_environment(judge, key):
    return {
        "SCANQ_ALIYUN_ENDPOINT": judge.url,
        "ALIBABA_CLOUD_REGION_ID": "cn-shanghai",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": key.id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key.secret,
        **({"ALIBABA_CLOUD_SECURITY_TOKEN": key.token} if key.token else {}),
    }


def huawei_environment(judge, key):
    env = {
        "SCANQ_HUAWEI_ENDPOINT": judge.url,
        "HUAWEICLOUD_SDK_REGION": "cn-north-4",
        "HUAWEICLOUD_SDK_PROJECT_ID": PROJECT_ID,
    }
    if not key.id:
        return {**env, "HUAWEICLOUD_SDK_TOKEN": key.token}
    env.update({"HUAWEICLOUD_SDK_AK": key.id, "HUAWEICLOUD_SDK_SK": key.secret})
    return {**env, "HUAWEICLOUD_SDK_SECURITY_TOKEN": key.token} if key.token else env


def spelled(parameters):
    """The Python SDK writes a boolean as Python does, "True"; documented, and scanq's, is "true"."""
    return {name: {"True": "true", "False": "false"}.get(value, value) for name, value in parameters.items()}


@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
@pytest.mark.parametrize("key", [ALIBABA, ALIBABA_STS], ids=["plain", "sts"])
@pytest.mark.parametrize("arguments, same", ALIBABA_QUESTIONS.values(), ids=ALIBABA_QUESTIONS)
def test_scanq_asks_alibaba_as_its_own_client_does(scanq, judge, scheme, key, arguments, same):
    result = scanq("aliyun", *arguments, "--signature", scheme, "-o", "json", env=alibaba_environment(judge, key))
    assert result.code == 0, (result.stderr, [seen.refusal for seen in judge.seen])
    ask(alibaba(judge.url, key, scheme), same)

    ours, theirs = judge.seen
    assert (ours.scheme, ours.refusal) == (scheme, None)
    assert ours.action == theirs.action
    assert ours.parameters == spelled(theirs.parameters)
    # All four operations take every parameter in the query.
    assert ours.body == b""


@pytest.mark.parametrize(
    "key, scheme",
    [(HUAWEI, "aksk"), (HUAWEI_TEMPORARY, "aksk"), (TOKEN, "token")],
    ids=["plain", "temporary", "x-auth-token"],
)
@pytest.mark.parametrize("arguments, same", HUAWEI_QUESTIONS.values(), ids=HUAWEI_QUESTIONS)
def test_scanq_asks_huawei_as_its_own_client_does(scanq, judge, scheme, key, arguments, same):
    result = scanq("huawei", "tasks", *arguments, "-o", "json", env=huawei_environment(judge, key))
    assert result.code == 0, (result.stderr, [seen.refusal for seen in judge.seen])
    # Huawei's client cannot send an X-Auth-Token, but it can ask the same question with a key.
    ask(huawei(judge.url, key if key.id else HUAWEI, PROJECT_ID), same)

    ours, theirs = judge.seen
    assert (ours.scheme, ours.refusal) == (scheme, None)
    assert sorted(ours.query) == sorted(theirs.query)
    assert json.loads(ours.body) == json.loads(theirs.body)


# A wrong key stays wrong, and gateways may count refused calls toward their limits: one request and no more.


@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
@pytest.mark.parametrize(
    "key, code",
    [
        (ALIBABA._replace(secret="wrong"), "SignatureDoesNotMatch"),
        (ALIBABA_STS._replace(secret="wrong"), "SignatureDoesNotMatch"),
        (ALIBABA._replace(id="LTAInobody"), "InvalidAccessKeyId.NotFound"),
    ],
    ids=["wrong-secret", "wrong-sts-secret", "unknown-id"],
)
def test_scanq_gives_up_at_once_on_a_key_that_alibaba_refuses(scanq, judge, scheme, key, code):
    result = scanq("aliyun", "agentless-tasks", "--signature", scheme, env=alibaba_environment(judge, key))
    assert result.code == 4, result.stderr
    assert code in result.stderr
    assert len(judge.seen) == 1


@pytest.mark.parametrize(
    "key",
    [HUAWEI._replace(secret="wrong"), HUAWEI_TEMPORARY._replace(secret="wrong"), TOKEN._replace(token="wrong")],
    ids=["wrong-secret", "wrong-temporary-secret", "wrong-x-auth-token"],
)
def test_scanq_gives_up_at_once_on_a_key_that_huawei_refuses(scanq, judge, key):
    result = scanq("huawei", "tasks", "--task-type", "cluster_scan", env=huawei_environment(judge, key))
    assert result.code == 4, result.stderr
    assert "APIGW.0301" in result.stderr
    assert len(judge.seen) == 1
