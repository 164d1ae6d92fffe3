# The command line: schema steps and keys, run as jobs. Build from the repository's root:
#   docker build -f deploy/resettle.Dockerfile -t resettle/resettle .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin resettle && cp target/release/resettle /usr/local/bin/

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/resettle /usr/local/bin/resettle
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/resettle"]
