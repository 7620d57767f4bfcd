"""The vendors' own Python clients, put into each of the modes that scanq speaks as well."""

import re
from typing import NamedTuple, Optional
from urllib.parse import urlsplit

from alibabacloud_credentials.provider.oidc import OIDCRoleArnCredentialsProvider
from alibabacloud_sas20181203.client import Client as SasClient
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkhss.v5 import HssClient
from Tea.core import TeaCore


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


def assume_role(url, key, scheme="rpc", **parameters):
    """The temporary key that STS gives for a role.

    Asked with the generic client: the credentials library quotes what it signs as a form does, so a space in
    a policy would spoil its signature.
    """
    params = Params(
        action="AssumeRole", version="2015-04-01", protocol="HTTP", pathname="/", method="POST",
        auth_type="AK", style="RPC", req_body_type="formData", body_type="json",
    )  # fmt: skip
    answer = alibaba(url, key, scheme).call_api(params, OpenApiRequest(query=parameters), RuntimeOptions())
    given = answer["body"]["Credentials"]
    return Key(given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"])


def assume_role_with_oidc(url, monkeypatch, **options):
    """The temporary key that STS gives for an identity provider's token. The library only knows https."""
    send = TeaCore.do_action

    def send_in_the_clear(request, *arguments):
        request.protocol = "http"
        return send(request, *arguments)

    monkeypatch.setattr(TeaCore, "do_action", send_in_the_clear)
    provider = OIDCRoleArnCredentialsProvider(sts_endpoint=urlsplit(url).netloc, **options)
    given = provider.get_credentials()
    return Key(given.get_access_key_id(), given.get_access_key_secret(), given.get_security_token())


def huawei(url, key, project_id=None, region=None):
    """An HSS client that signs with SDK-HMAC-SHA256. The SDK has no X-Auth-Token mode.

    Without a project it asks IAM, at the same address, which one the region has.
    """
    credentials = BasicCredentials(key.id, key.secret, project_id).with_iam_endpoint(url)
    credentials._CACHE = {}  # else a project that was once found is never looked up again
    if key.token:
        credentials.with_security_token(key.token)
    builder = HssClient.new_builder().with_credentials(credentials)
    return (builder.with_region(Region(id=region, endpoint=url)) if region else builder.with_endpoint(url)).build()


def ask(client, request):
    """Sends a request model with the client's method of the same name (ListTasksRequest: list_tasks)."""
    operation = type(request).__name__.removesuffix("Request")
    return getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())(request)
