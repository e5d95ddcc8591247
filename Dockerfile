# The web page and the command `portrait` on the CPU, without PyTorch; about 700 MB.
# Not built here: no Docker engine was at hand. With Python 3.13 its wheel, its installation and its check of the model were run; the
# user and the health check were not.
#
#   docker build -t portrait .
#   docker run --rm -p 127.0.0.1:7860:7860 portrait                      the page, at http://127.0.0.1:7860
#   docker run --rm --user "$(id -u)" -v "$PWD:/photos" -w /photos portrait portrait me.jpg     one photo
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
COPY requirements.lock /lock/
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --constraint /lock/requirements.lock "$(ls /wheels/*.whl)[app]" \
    && rm -r /lock /wheels \
    && useradd --create-home --uid 1000 painter
USER painter
WORKDIR /home/painter
# An image without a model that works is not built.
RUN python -c "from portrait_pipeline import Portrayer; print(Portrayer.pretrained().card.title)"
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=4)"]
CMD ["portrait", "serve", "--host", "0.0.0.0"]
