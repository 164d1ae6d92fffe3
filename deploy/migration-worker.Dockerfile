# Carries out migrations. Build from the repository's root:
#   docker build -f deploy/migration-worker.Dockerfile -t resettle/migration-worker .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin migration-worker && cp target/release/migration-worker /usr/local/bin/

FROM debian:bookworm-slim
# Chromium renders pages that need their scripts and shows projects beside their sites; bubblewrap shuts it in, socat is its one
# way out (to the guard).
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
        chromium chromium-headless-shell bubblewrap socat fonts-liberation fonts-dejavu-core fonts-noto-cjk && rm -rf /var/lib/apt/lists/*
# Node and npm type-check the written projects (VERIFY); what builds and serves them is shut in, too.
COPY --from=node:22-bookworm-slim /usr/local/bin/node /usr/local/bin/node
COPY --from=node:22-bookworm-slim /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
COPY --from=build /usr/local/bin/migration-worker /usr/local/bin/migration-worker
# Pictures of whole pages are megabytes on many threads: what is freed goes back to the system, so that the share of memory that
# the worker goes by is what it uses (docs/performance.md).
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8080 50051
ENTRYPOINT ["/usr/local/bin/migration-worker"]
