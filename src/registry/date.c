#include "registry/date.h"

#define DATE_LENGTH 10
#define FIRST_YEAR 1970

static bool parse_number(const char *text, size_t length, int32_t *number)
{
    int32_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (text[i] - '0');
    }
    *number = value;
    return true;
}

static bool is_leap_year(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t days_of_month(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

/* From 0001-01-01 on. */
static int32_t days_before_year(int32_t year)
{
    int32_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

bool registry_date_parse(const char *text, size_t length, int32_t *days)
{
    int32_t year;
    int32_t month;
    int32_t day;
    if (length != DATE_LENGTH || text[4] != '-' || text[7] != '-' || !parse_number(text, 4, &year) ||
        !parse_number(text + 5, 2, &month) || !parse_number(text + 8, 2, &day)) {
        return false;
    }
    if (year < FIRST_YEAR || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month)) {
        return false;
    }
    int32_t sum = days_before_year(year) - days_before_year(FIRST_YEAR) + day - 1;
    for (int32_t before = 1; before < month; before++) {
        sum += days_of_month(year, before);
    }
    *days = sum;
    return true;
}
