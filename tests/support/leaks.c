/* LeakSanitizer looks at each test's own process, and not at Criterion's runner, which leaves some of its own
 * behind. A list of functions whose leaks are to be overlooked would not do: it asks for whole stacks, and
 * walking the stack without frame pointers at each allocation costs ten times what the test does. */
#include <stddef.h>
#include <stdlib.h>

/* What the sanitizer asks when a process ends (sanitizer/lsan_interface.h). */
int __lsan_is_turned_off(void);

/* The runner gives the processes of its tests this variable, and has none itself. */
int __lsan_is_turned_off(void) {
    return getenv("BXFI_MAP") == NULL;
}
