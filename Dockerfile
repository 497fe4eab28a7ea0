# syntax=docker/dockerfile:1
#
#   docker build -t usmpd .
#   docker run -p 9000:9000/tcp -p 9000:9000/udp -v /etc/usmpd:/etc/usmpd:ro -v usmpd-run:/run/usmpd usmpd
#
# Backends reach usmpd through the Unix sockets in /run/usmpd: mount that volume into their containers too, and let
# them run as group 990. A registry that is mounted has to belong to root or 990 and must not be readable by others
# (chown root:990 devices.yaml && chmod 640 devices.yaml). Keys are locked into memory as far as the limit goes:
# --ulimit memlock=268435456.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
WORKDIR /source
# By itself, so that the packages are installed again only when their list changes.
COPY scripts scripts
RUN scripts/setup --build-only
COPY . .
RUN cmake -S . -B build/image -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
    && cmake --build build/image \
    && DESTDIR=/image cmake --install build/image --prefix /usr --strip

FROM ${BASE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libjansson4 libseccomp2 libsodium23 libssl3 libsystemd0 libuv1 libyaml-0-2 \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 990 usmpd \
    && useradd --system --uid 990 --gid usmpd --home-dir /var/lib/usmpd --no-create-home --shell /usr/sbin/nologin \
        usmpd \
    && install --directory --owner usmpd --group usmpd /run/usmpd \
    && install --directory --owner usmpd --group usmpd --mode 0750 /var/lib/usmpd
COPY --from=build /image/usr/sbin/usmpd /usr/sbin/usmpd
COPY --from=build /image/usr/bin/usmp /usr/bin/usmp
COPY --from=build /image/etc/usmpd /etc/usmpd
RUN chgrp usmpd /etc/usmpd/devices.yaml

# Numbers, so that an orchestrator can see that this is not root.
USER 990:990
EXPOSE 9000/tcp 9000/udp
VOLUME /run/usmpd
CMD ["usmpd", "--config", "/etc/usmpd/usmpd.yaml"]
