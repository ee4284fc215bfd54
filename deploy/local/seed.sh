#!/usr/bin/env bash
echo seed stub
