# The job of `make run` in a container, on a processor:
#   docker build --tag msf_kedro .
#   docker run --rm --volume "$PWD/data:/home/msf/project/data" msf_kedro
# Other jobs: docker run … msf_kedro --env=utd_mhad --pipelines=gzssar
FROM python:3.12-slim-bookworm

RUN useradd --create-home --uid 1000 msf
WORKDIR /home/msf/project
ENV PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# Dependencies first: they change more rarely than the code, and are the large layer.
COPY requirements.lock pyproject.toml setup.py README.md LICENSE ./
COPY src/msf_kedro/__init__.py src/msf_kedro/__init__.py
RUN python -m pip install --constraint requirements.lock --editable .

COPY src src
COPY conf conf
COPY .telemetry ./
COPY --chown=msf:msf data data
RUN chown msf:msf /home/msf/project

USER msf
ENTRYPOINT ["kedro", "run"]
CMD ["--pipelines=gzssar"]
