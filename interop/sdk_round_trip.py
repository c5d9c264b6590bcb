#!/usr/bin/env python3
"""An independent client against the rehearsal server: jamf-pro-sdk[aws], unchanged, from PyPI.

Where the server is stands in the environment, as `pkgferry sandbox` prints it. Uploads in one request and in parts,
lists, downloads, and compares every byte. Exits with 1 at the first difference.
"""

import hashlib
import os
import random
import tempfile
import warnings
from pathlib import Path
from urllib.parse import urlsplit

warnings.simplefilter("ignore")

from jamf_pro_sdk import ApiClientCredentialsProvider, JamfProClient, SessionConfig
from jamf_pro_sdk.clients.auth import UserCredentialsProvider
from jamf_pro_sdk.clients.jcds2 import JCDS2FileExistsError

MIB = 1 << 20


def client(credentials):
    url = urlsplit(os.environ["JSS_URL"])
    return JamfProClient(url.hostname, credentials, port=url.port, session_config=SessionConfig(scheme=url.scheme))


def check(name, passed):
    print(f"{'ok    ' if passed else 'FAILED'} {name}")
    if not passed:
        raise SystemExit(1)


def main():
    by_client = client(ApiClientCredentialsProvider(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]))
    by_user = client(UserCredentialsProvider(os.environ["API_USERNAME"], os.environ["API_PASSWORD"]))
    check("both kinds of sign-in list packages", by_user.pro_api.get_packages_v1() == by_client.pro_api.get_packages_v1())

    # The SDK sends parts from 1 GiB on; the same code is called here for less, so that the test stays quick.
    whole_file = by_client.jcds2._upload_file
    in_parts = lambda s3_client, jcds_file, file_upload: by_client.jcds2._upload_multipart(s3_client, jcds_file, file_upload)

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        cases = [
            ("Small.pkg", 1 * MIB + 1, whole_file),
            # Without `#`, `?` and `%`: the SDK puts names into addresses as they are.
            ("Grün & Söhne (2.0+beta).pkg", 3 * MIB, whole_file),
            ("Parts.pkg", 45 * MIB + 7, in_parts),
        ]
        for name, size, way in cases:
            source = folder / name
            source.write_bytes(random.Random(size).randbytes(size))
            by_client.jcds2._upload_file = way
            by_client.jcds2.upload_file(source)

            listed = {file.fileName: file for file in by_client.pro_api.get_jcds_files_v1()}.get(name)
            check(f"{name}: listed", listed is not None)
            content = source.read_bytes()
            check(f"{name}: length", listed.length == size)
            check(f"{name}: md5", listed.md5 == hashlib.md5(content).hexdigest())
            check(f"{name}: sha3", listed.sha3 == hashlib.sha3_512(content).hexdigest())

            records = by_client.pro_api.get_packages_v1()
            check(f"{name}: one record by the Pro API", [r.fileName for r in records].count(name) == 1)
            classic = [by_client.classic_api.get_package_by_id(p) for p in by_client.classic_api.list_all_packages()]
            check(f"{name}: one record by the Classic API", [r.filename for r in classic].count(name) == 1)

            target = folder / "downloads"
            target.mkdir(exist_ok=True)
            by_user.jcds2.download_file(name, target)
            check(f"{name}: downloaded, byte for byte", (target / name).read_bytes() == content)

            try:
                by_client.jcds2.upload_file(source)
                check(f"{name}: a second upload is refused by the SDK", False)
            except JCDS2FileExistsError:
                check(f"{name}: a second upload is refused by the SDK", True)


main()
