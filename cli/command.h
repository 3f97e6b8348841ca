#include "host/command.h"
