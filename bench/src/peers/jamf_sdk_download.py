"""jamf-pro-sdk's own download_file: SCHEME PORT CA NAME TARGET"""
import sys

from jamf_pro_sdk import ApiClientCredentialsProvider, JamfProClient, SessionConfig

scheme, port, ca, name, target = sys.argv[1:]
config = SessionConfig(scheme=scheme, ca_cert_bundle=ca if scheme == "https" else None)
account = ApiClientCredentialsProvider("bench", "bench")
client = JamfProClient("localhost", account, port=int(port), session_config=config)
client.jcds2.download_file(file_name=name, download_path=target)
