"""The vendors' own clients query `scanq sandbox` and must read there exactly what scanq reads.

So the sandbox verifies signatures as the clouds do, pages as they do, and answers in documents that the
vendors' models understand; and scanq loses, adds and reorders nothing on the way.
"""

import itertools
import json
from collections import Counter
from functools import partial
from typing import Callable, NamedTuple

import pytest
from alibabacloud_sas20181203 import models as sas
from alibabacloud_tea_openapi.exceptions import ClientException
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.utils.http_utils import sanitize_for_serialization as as_json
from huaweicloudsdkhss.v5 import ListTasksRequest, ListTasksRequestBody

from conftest import SANDBOX_TASKS
from vendors import Key, alibaba, ask, huawei

ALIBABA_STS = Key("STS.sandbox-access-key-id", "sandbox-sts-access-key-secret", "sandbox-security-token")
HUAWEI_TEMPORARY = Key("SANDBOXTEMPORARYAK01", "sandbox-temporary-secret-key", "sandbox-huawei-security-token")


class Listing(NamedTuple):
    """A list operation, as scanq's command and as a request model of the vendor's SDK."""

    command: list
    request: Callable
    answer: Callable  # the SDK's model of the response
    items: str
    id: str
    documented: str  # every field of an item that the vendor's reference page lists

    def __str__(self):
        return "-".join(self.command)


ONCE_TASKS = Listing(
    ["aliyun", "once-tasks"],
    partial(sas.DescribeOnceTaskLeafRecordPageRequest, task_type="IMAGE_SCAN", relate_info=True),
    sas.DescribeOnceTaskLeafRecordPageResponseBody,
    "OnceTasks",
    "TaskId",
    """Status StatusText Progress RealRunTime TaskName Finish TotalCount EndTime TaskType StartTime ResultInfo
    Target TaskId FinishCount TargetType TaskImageInfo TaskImageInfo.RepoId TaskImageInfo.Digest
    TaskImageInfo.Tag TaskImageInfo.RepoRegionId TaskImageInfo.RepoName TaskImageInfo.RepoNamespace
    TaskImageInfo.RegionId TaskImageInfo.Image TaskImageInfo.Pod TaskImageInfo.AppName TaskImageInfo.NodeName
    TaskImageInfo.NodeIp TaskImageInfo.NodeInstanceId TaskImageInfo.ClusterId TaskImageInfo.ClusterName
    TaskImageInfo.CostTimeInfo""",
)
IMAGE_FIX_TASKS = Listing(
    ["aliyun", "image-fix-tasks"],
    sas.DescribeImageFixTaskRequest,
    sas.DescribeImageFixTaskResponseBody,
    "BuildTasks",
    "BuildTaskId",
    """BuildTaskId TaskType RepoNamespace RepoName RegionId OldTag OldUuid NewTag NewUuid FixTime FinishTime
    Status VulAlias""",
)
AGENTLESS_TASKS = Listing(
    ["aliyun", "agentless-tasks"],
    sas.ListAgentlessTaskRequest,
    sas.ListAgentlessTaskResponseBody,
    "List",
    "TaskId",
    """TaskId TaskName TargetType Status Progress StartTime EndTime Result Uuid InternetIp IntranetIp
    InstanceName TargetName ProgressByProject ReportStatus ReportDownloadUrl MeasureSpace""",
)
CLUSTER_SCANS, IAC_SCANS = (
    Listing(
        ["huawei", "tasks", "--task-type", task_type],
        lambda offset, limit, task_type=task_type, **body: ListTasksRequest(
            offset=offset, limit=limit, body=ListTasksRequestBody(task_type=task_type, **body)
        ),
        None,
        "data_list",
        "task_id",
        f"""task_id task_type task_name trigger_type task_status start_time end_time estimated_time {own}""",
    )
    for task_type, own in [
        (
            "cluster_scan",
            """cluster_scan_info.scan_type_list cluster_scan_info.scanning_cluster_num
            cluster_scan_info.success_cluster_num cluster_scan_info.failed_cluster_num""",
        ),
        (
            "iac_scan",
            """iac_scan_info.file_type iac_scan_info.scan_file_num iac_scan_info.success_file_num
            iac_scan_info.failed_file_num""",
        ),
    ]
)

ALIBABA_LISTINGS = [ONCE_TASKS, IMAGE_FIX_TASKS, AGENTLESS_TASKS]
HUAWEI_LISTINGS = [CLUSTER_SCANS, IAC_SCANS]

schemes = pytest.mark.parametrize("scheme", ["acs3", "rpc"])
temporary = pytest.mark.parametrize("temporary", [False, True], ids=["plain", "temporary"])
alibaba_listings = pytest.mark.parametrize("listing", ALIBABA_LISTINGS, ids=str)
huawei_listings = pytest.mark.parametrize("listing", HUAWEI_LISTINGS, ids=str)


@pytest.fixture(scope="module")
def printed(sandbox, scanq):
    """The document that a scanq command prints about the sandbox, once the sandbox has come to rest.

    Its running tasks advance whenever an operation is asked for its first page; after some twenty of those
    they have all ended, and only then do two listings taken one after the other have to be equal.
    """

    def document(*arguments):
        return scanq(*arguments, "-o", "json", env=sandbox).json

    for _ in range(25):
        for listing in ALIBABA_LISTINGS + HUAWEI_LISTINGS:
            document(*listing.command)
        document("aliyun", "once-task-result", "--task-id", "any", "--task-type", "IMAGE_SCAN")
    return document


def alibaba_client(sandbox, scheme="acs3", temporary=False, **wrong):
    key = Key(sandbox["ALIBABA_CLOUD_ACCESS_KEY_ID"], sandbox["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
    return alibaba(sandbox["SCANQ_ALIYUN_ENDPOINT"], (ALIBABA_STS if temporary else key)._replace(**wrong), scheme)


def huawei_client(sandbox, temporary=False, **wrong):
    key = Key(sandbox["HUAWEICLOUD_SDK_AK"], sandbox["HUAWEICLOUD_SDK_SK"])
    return huawei(
        sandbox["SCANQ_HUAWEI_ENDPOINT"],
        (HUAWEI_TEMPORARY if temporary else key)._replace(**wrong),
        sandbox["HUAWEICLOUD_SDK_PROJECT_ID"],
    )


def alibaba_walk(client, listing, **filters):
    """All items, page by page (numbered from 1), as the SDK's models read them."""
    items = []
    for page in itertools.count(1):
        body = ask(client, listing.request(current_page=page, page_size=20, **filters)).body.to_map()
        got, info = body[listing.items], body["PageInfo"]
        assert (info["CurrentPage"], info["PageSize"], info.get("Count", len(got))) == (page, 20, len(got))
        items += got
        if len(items) == info["TotalCount"]:
            return items
        assert len(got) == 20, "a page that is not the last is full"


def huawei_walk(client, listing, **filters):
    """All items, page by page (by the position of the first item), as the SDK's models read them."""
    items = []
    while True:
        body = as_json(ask(client, listing.request(offset=len(items), limit=20, **filters)))
        items += body["data_list"]
        if len(items) == body["total_num"]:
            return items
        assert len(body["data_list"]) == 20, "a page that is not the last is full"


def as_read_by_alibaba(listing, document):
    """scanq's document through the same model: it drops nulls and what it does not know, and converts nothing."""
    return listing.answer().from_map(document).to_map()[listing.items]


def as_read_by_huawei(client, document):
    """The same for Huawei, whose client also turns numbers in strings into numbers. It has no public name for this."""
    return as_json(client._deserialize(document, "ListTasksResponse"))["data_list"]


def lines(items):
    """Items as JSON text, because in Python True == 1 == 1.0; and one by one, so that a difference can be found."""
    return [json.dumps(item, sort_keys=True, ensure_ascii=False) for item in items]


def fields(item, prefix=""):
    """The names of the fields that have a value, with dots between levels."""
    for name, value in item.items():
        if value is not None:
            yield prefix + name
        if isinstance(value, dict):
            yield from fields(value, prefix + name + ".")


def assert_nothing_is_lost(listing, printed_items, read_items):
    """No documented field that scanq prints is one that the vendor's client failed to read."""
    documented = set(listing.documented.split())
    for ours, theirs in zip(printed_items, read_items):
        assert documented.intersection(fields(ours)) == documented.intersection(fields(theirs))


@schemes
@temporary
@alibaba_listings
def test_alibabas_sdk_reads_what_scanq_prints(sandbox, printed, scheme, temporary, listing):
    document = printed(*listing.command)
    read = alibaba_walk(alibaba_client(sandbox, scheme, temporary), listing)
    assert len(read) >= SANDBOX_TASKS
    assert lines(as_read_by_alibaba(listing, document)) == lines(read)
    assert_nothing_is_lost(listing, document[listing.items], read)


@temporary
@huawei_listings
def test_huaweis_sdk_reads_what_scanq_prints(sandbox, printed, temporary, listing):
    document = printed(*listing.command)
    client = huawei_client(sandbox, temporary)
    read = huawei_walk(client, listing)
    assert len(read) >= SANDBOX_TASKS
    assert lines(as_read_by_huawei(client, document)) == lines(read)
    assert_nothing_is_lost(listing, document[listing.items], read)


@schemes
@temporary
def test_alibabas_sdk_reads_the_result_that_scanq_prints(sandbox, printed, scheme, temporary):
    client = alibaba_client(sandbox, scheme, temporary)
    for task in printed("aliyun", "once-tasks")["OnceTasks"][::10]:
        document = printed("aliyun", "once-task-result", "--task-id", task["TaskId"], "--task-type", "IMAGE_SCAN")
        # scanq lets the name default to the type; Alibaba needs both.
        request = sas.GetOnceTaskResultInfoRequest(
            task_id=task["TaskId"], task_type="IMAGE_SCAN", task_name="IMAGE_SCAN"
        )
        read = ask(client, request).body.to_map()
        assert document.pop("RequestId") and read.pop("RequestId")
        ours = sas.GetOnceTaskResultInfoResponseBody().from_map(document).to_map()
        assert lines([ours]) == lines([read])
        documented = "CollectTime TotalCount TaskId FinishCount TaskInfo TaskInfo.Status"
        assert set(documented.split()) <= set(fields(read))


def rarest(items, field):
    """The value that the fewest items have: a filter by it keeps something and drops something."""
    counts = Counter(item[field] for item in items if field in item)
    assert len(counts) > 1, f"the sandbox's tasks all have the same {field}"
    return min(counts, key=counts.get)


# Listing, the field that has the value, scanq's flag, and the SDK's name for the same filter.
VALUE_FILTERS = [
    (ONCE_TASKS, "StatusText", "--status-list", "status_list"),
    (IMAGE_FIX_TASKS, "Status", "--status", "status"),
    (AGENTLESS_TASKS, "Status", "--status", "status"),
    (CLUSTER_SCANS, "task_id", "--task-id", "task_id"),
    (IAC_SCANS, "task_name", "--task-name", "task_name"),
]
TIME_FILTERS = [
    (ONCE_TASKS, "StartTime", "start_time"),
    (AGENTLESS_TASKS, "StartTime", "start_time"),
    (CLUSTER_SCANS, "start_time", "start_create_time"),
]


def ids_by_sdk(sandbox, listing, **filters):
    if listing in HUAWEI_LISTINGS:
        items = huawei_walk(huawei_client(sandbox), listing, **filters)
    else:
        items = alibaba_walk(alibaba_client(sandbox), listing, **filters)
    return [item[listing.id] for item in items]


@pytest.mark.parametrize("listing, field, flag, parameter", VALUE_FILTERS, ids=str)
def test_a_filter_keeps_the_same_tasks_for_both(sandbox, printed, listing, field, flag, parameter):
    everything = printed(*listing.command)[listing.items]
    value = rarest(everything, field)
    kept = printed(*listing.command, flag, str(value))[listing.items]
    ids = [item[listing.id] for item in kept]
    assert 0 < len(ids) < len(everything)
    assert ids == [item[listing.id] for item in everything if item.get(field) == value]
    assert ids == ids_by_sdk(sandbox, listing, **{parameter: [value] if parameter == "status_list" else value})


@pytest.mark.parametrize("listing, field, parameter", TIME_FILTERS, ids=str)
def test_since_keeps_the_same_tasks_for_both(sandbox, printed, listing, field, parameter):
    everything = printed(*listing.command)[listing.items]
    times = sorted(item[field] for item in everything if field in item)
    median = times[len(times) // 2]
    kept = printed(*listing.command, "--since", str(median))[listing.items]
    ids = [item[listing.id] for item in kept]
    assert 0 < len(ids) < len(everything)
    assert ids == ids_by_sdk(sandbox, listing, **{parameter: median})


@schemes
@temporary
@pytest.mark.parametrize(
    "wrong, code",
    [({"secret": "wrong"}, "SignatureDoesNotMatch"), ({"id": "LTAInobody"}, "InvalidAccessKeyId.NotFound")],
    ids=["secret", "id"],
)
def test_the_sandbox_refuses_alibabas_client_with_a_wrong_key(sandbox, scheme, temporary, wrong, code):
    with pytest.raises(ClientException) as refused:
        ask(alibaba_client(sandbox, scheme, temporary, **wrong), AGENTLESS_TASKS.request())
    assert refused.value.code == code


@schemes
@pytest.mark.parametrize("token", [None, "wrong"])
def test_the_sandbox_wants_the_security_token_of_alibabas_client(sandbox, scheme, token):
    with pytest.raises(ClientException) as refused:
        ask(alibaba_client(sandbox, scheme, temporary=True, token=token), AGENTLESS_TASKS.request())
    # MissingSecurityToken, or one of InvalidSecurityToken.*; the references disagree about which.
    assert "SecurityToken" in refused.value.code


@temporary
@pytest.mark.parametrize("part", ["secret", "id"])
def test_the_sandbox_refuses_huaweis_client_with_a_wrong_key(sandbox, temporary, part):
    with pytest.raises(ClientRequestException) as refused:
        ask(huawei_client(sandbox, temporary, **{part: "WRONG"}), CLUSTER_SCANS.request(0, 10))
    assert (refused.value.status_code, refused.value.error_code) == (401, "APIGW.0301")


@pytest.mark.parametrize("token", [None, "wrong"])
def test_the_sandbox_wants_the_security_token_of_huaweis_client(sandbox, token):
    with pytest.raises(ClientRequestException) as refused:
        ask(huawei_client(sandbox, temporary=True, token=token), CLUSTER_SCANS.request(0, 10))
    assert refused.value.status_code == 401
