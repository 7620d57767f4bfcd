"""The job as a short script on the vendor's SDK: every page of a listing, one item a line.

    sdk.py ADDRESS PAGES [PAGE_SIZE]
"""

import json
import sys

from alibabacloud_sas20181203.client import Client
from alibabacloud_sas20181203.models import ListAgentlessTaskRequest
from alibabacloud_tea_openapi.models import Config

address, pages = sys.argv[1], int(sys.argv[2])
size = int(sys.argv[3]) if len(sys.argv) > 3 else 100
client = Client(
    Config(
        access_key_id="access-key-id",
        access_key_secret="access-key-secret",
        endpoint=address.removeprefix("http://"),
        protocol="http",
    )
)
for page in range(1, pages + 1):
    answer = client.list_agentless_task(ListAgentlessTaskRequest(current_page=page, page_size=size))
    for item in answer.body.list:
        print(json.dumps(item.to_map(), ensure_ascii=False))
