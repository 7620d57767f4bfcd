"""The vendors' own Python clients, put into each of the modes that scanq speaks as well."""

import re
from typing import NamedTuple, Optional
from urllib.parse import urlsplit

from alibabacloud_sas20181203.client import Client as SasClient
from alibabacloud_tea_openapi.models import Config
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkhss.v5 import HssClient


class Key(NamedTuple):
    """An access key; with a token it is a temporary one."""

    id: str
    secret: str
    token: Optional[str] = None


def alibaba(url, key, scheme="acs3"):
    """A Security Center client that signs with ACS3-HMAC-SHA256 ("acs3") or RPC HMAC-SHA1 ("rpc")."""
    return SasClient(
        Config(
            access_key_id=key.id,
            access_key_secret=key.secret,
            security_token=key.token,
            endpoint=urlsplit(url).netloc,
            protocol="http",
            region_id="cn-shanghai",
            # The SDK has no flag for the old signature: Client.call_api() in tea_openapi 0.4.6 falls back
            # to it when the *algorithm* is called "v2", whatever signature_version says.
            signature_algorithm="v2" if scheme == "rpc" else None,
        )
    )


def huawei(url, key, project_id):
    """An HSS client that signs with SDK-HMAC-SHA256. The SDK has no X-Auth-Token mode."""
    credentials = BasicCredentials(key.id, key.secret, project_id)
    if key.token:
        credentials.with_security_token(key.token)
    return HssClient.new_builder().with_credentials(credentials).with_endpoint(url).build()


def ask(client, request):
    """Sends a request model with the client's method of the same name (ListTasksRequest: list_tasks)."""
    operation = type(request).__name__.removesuffix("Request")
    return getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())(request)
