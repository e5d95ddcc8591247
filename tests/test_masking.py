"""Laws of masking: no secret in any form, everything else unchanged, and once is enough."""

import pytest

from portrait_pipeline.masking import mask_secrets, mask_values

SECRET = "s3cr3tValue"
WITH_SECRETS = [
    f"https://me:{SECRET}@host.example/a.zip",
    f"https://{SECRET}@host.example/a.zip",
    f"https://me:{SECRET}@inner@host.example/a.zip",
    f"https://me:{SECRET}/x@host.example/a.zip",
    f"ftp://me:{SECRET}@host.example",
    f"postgresql+psycopg2://me:{SECRET}@db:5432/mlflow",
    f"https://host.example/a.zip?token={SECRET}",
    f"https://host.example/a.zip?X-Amz-Credential=a%2Fb&X-Amz-Signature={SECRET}",
    f"https://host.example/a.zip?sv=2024&sig={SECRET}&se=2026",
    f"https://host.example/a.zip?whatever={SECRET}",
    f"https://host.example/a.zip#access_token={SECRET}",
    f"HTTPS://ME:{SECRET}@HOST.EXAMPLE/A.ZIP",
    f"(could not read https://me:{SECRET}@host.example/a.zip, trying again)",
    f"photos.archive=https://me:{SECRET}@host.example/a.zip,workspace=mine",
    f"token={SECRET}",
    f"password: {SECRET}",
    f"kaggle_api_token: '{SECRET}'",
    f"{{'key': '{SECRET}', 'username': 'me'}}",
    f'{{"secret_access_key": "{SECRET}"}}',
    f"AWS_SECRET_ACCESS_KEY={SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"Authorization: Basic {SECRET}==",
]
WITHOUT = [
    "https://host.example:8080/a/b@1.2/c.zip",
    "https://cdn.example/npm/@vladmandic/human/models/faceres.bin",
    "sqlite:////home/me/mlflow.db",
    "data/08_reporting/sample/report.html",
    "kedro run --env=sample --pipeline=tune --params resume=true,training.num_epochs=2",
    "num_tokens 5, keyboard: x, monkey=2, judge=geometry, keypoints: 5",
    "token=null, password: None",
    "12:30:11 INFO training: generators 39.68 · λ_p = 5",
]


@pytest.mark.parametrize("text", WITH_SECRETS)
def test_no_form_of_a_secret_is_left(text: str) -> None:
    """Addresses with users, queries, signatures; settings; headers; alone or within a sentence."""
    masked = mask_secrets(text)
    assert SECRET not in masked
    assert "***" in masked
    assert mask_secrets(masked) == masked


@pytest.mark.parametrize("text", WITHOUT)
def test_what_holds_no_secret_is_unchanged(text: str) -> None:
    """A path, a port, a version, a word that merely contains `key`."""
    assert mask_secrets(text) == text


def test_host_and_path_are_still_told() -> None:
    """Which file of which server it was stays readable."""
    masked = mask_secrets(f"https://me:{SECRET}@host.example:8/a/b.zip?sig={SECRET}#x")
    assert masked == "https://***@host.example:8/a/b.zip?***"


def test_nested_settings_are_masked_by_value_and_by_name() -> None:
    """Lists and mappings are searched; a value named as a secret goes whole, other types stay."""
    settings = {
        "photos": {"archive": f"https://host.example/a?b={SECRET}", "max": 3},
        "mirrors": [f"https://me:{SECRET}@a.example", 1.5, None],
        "api_token": SECRET,
    }
    assert mask_values(settings) == {
        "photos": {"archive": "https://host.example/a?***", "max": 3},
        "mirrors": ["https://***@a.example", 1.5, None],
        "api_token": "***",
    }
