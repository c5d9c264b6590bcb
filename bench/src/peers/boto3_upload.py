"""Managed uploads with boto3's defaults: ENDPOINT BUCKET FILE...  (10 threads, 8 MiB parts)"""
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.config import Config

endpoint, bucket, *files = sys.argv[1:]
client = boto3.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}))
# Not "auto": the CRT client ignores the endpoint.
with create_transfer_manager(client, TransferConfig(preferred_transfer_client="classic")) as manager:
    for sent in [manager.upload(file, bucket, "peer/" + os.path.basename(file)) for file in files]:
        sent.result()
