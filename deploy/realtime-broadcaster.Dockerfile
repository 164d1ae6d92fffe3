# Live progress over SSE. Build from the repository's root:
#   docker build -f deploy/realtime-broadcaster.Dockerfile -t resettle/realtime-broadcaster .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin realtime-broadcaster && cp target/release/realtime-broadcaster /usr/local/bin/

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/realtime-broadcaster /usr/local/bin/realtime-broadcaster
# Thousands of small, long-lived things of several threads: more arenas only hold more holes, and a connection's buffers
# of 8 KiB have to be given pages that nobody has touched (docs/performance.md).
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=8192
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/realtime-broadcaster"]
